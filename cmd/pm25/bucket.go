package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/alecthomas/kingpin/v2"

	"github.com/pm25/pm25/internal/api"
)

// addBucket adds `pm25 bucket`.
func addBucket(cli *kingpin.Application, commands map[string]func() error) {
	parent := cli.Command("bucket", "Keep buckets, into which agents push, and their tokens.")
	c := addConnection(parent)
	asJSON := parent.Flag("json", "Print JSON.").Bool()

	create := parent.Command("create", "Make a bucket, and print its token: this once.")
	name := create.Arg("NAME", "Name of the bucket.").Required().String()
	out := create.Flag("out", "Write the token to this new file instead, with mode 0600.").String()
	once := create.Flag("once", "With --out: do nothing where the file is there already.").Bool()
	commands[create.FullCommand()] = func() error {
		if *once {
			switch _, err := os.Lstat(*out); {
			case *out == "":
				return errors.New("--once needs --out")
			case err == nil:
				fmt.Printf("There is a token in %s already.\n", *out)
				return nil
			}
		}
		return issue(c, *out, *asJSON, func(conn issuer) (api.Issued, error) { return conn.CreateBucket(context.Background(), *name) })
	}

	rotate := parent.Command("rotate", "Make a new token for a bucket, and print it: this once.")
	rotated := rotate.Arg("NAME", "Name of the bucket.").Required().String()
	keep := rotate.Flag("keep-old", "How long the tokens before it go on, so that agents can be told the new one.").Default("1d").String()
	rotateOut := rotate.Flag("out", "Write the token to this new file instead, with mode 0600.").String()
	commands[rotate.FullCommand()] = func() error {
		return issue(c, *rotateOut, *asJSON, func(conn issuer) (api.Issued, error) {
			return conn.RotateToken(context.Background(), *rotated, *keep)
		})
	}

	revoke := parent.Command("revoke", "End a token at once.")
	bucket := revoke.Arg("NAME", "Name of the bucket.").Required().String()
	token := revoke.Arg("TOKEN-ID", "Id of the token, as pm25 bucket list shows it.").Required().String()
	commands[revoke.FullCommand()] = func() error {
		conn, err := c.client()
		if err != nil {
			return err
		}
		return conn.RevokeToken(context.Background(), *bucket, *token)
	}

	list := parent.Command("list", "List the buckets and their tokens, without secrets.")
	commands[list.FullCommand()] = func() error { return listBuckets(c, *asJSON) }
}

// issuer makes tokens.
type issuer interface {
	CreateBucket(ctx context.Context, name string) (api.Issued, error)
	RotateToken(ctx context.Context, bucket, keepOld string) (api.Issued, error)
}

// issue makes a token and tells it. The file is made first, so that no token is
// made that nobody learns.
func issue(c *connection, file string, asJSON bool, order func(issuer) (api.Issued, error)) error {
	conn, err := c.client()
	if err != nil {
		return err
	}
	if file == "" {
		issued, err := order(conn)
		switch {
		case err != nil:
			return err
		case asJSON:
			return printJSON(issued)
		}
		_, err = fmt.Println(issued.Secret)
		return err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("--out=%s: there is a file already: name a new one", file)
	}
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	issued, err := order(conn)
	if err != nil {
		return errors.Join(err, f.Close(), os.Remove(file))
	}
	if _, err := f.WriteString(issued.Secret + "\n"); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	fmt.Printf("The token %s of bucket %s is in %s.\n", issued.Token.ID, issued.Bucket, file)
	return f.Close()
}

func listBuckets(c *connection, asJSON bool) error {
	conn, err := c.client()
	if err != nil {
		return err
	}
	buckets, err := conn.Buckets(context.Background())
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(buckets)
	}
	var rows [][]string
	for _, b := range buckets {
		for _, t := range b.Tokens {
			state := "valid"
			switch {
			case t.Revoked != nil:
				state = "revoked " + agoOf(t.Revoked)
			case t.Expires != nil:
				state = "until " + t.Expires.Local().Format("2006-01-02 15:04")
			}
			rows = append(rows, []string{b.Name, t.ID, ago(t.Created), agoOf(t.LastUsed), state})
		}
	}
	return printTable([]string{"BUCKET", "TOKEN", "CREATED", "LAST USED", "STATE"}, rows)
}
