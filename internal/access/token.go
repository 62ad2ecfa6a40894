package access

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Names of tokens' files in the data folder.
const (
	OperatorFile = "operator.token"
	NotifyFile   = "notify.token"
)

const (
	operatorPrefix = "pm25op_"
	notifyPrefix   = "pm25nt_"
)

// Token is a token that whoever can read the server's data folder knows. The
// operator's lets them change something.
type Token struct {
	file string
	hash [sha256.Size]byte
}

// OpenOperator reads the operator's token, or makes one where there is none.
func OpenOperator(file string) (*Token, error) {
	return openToken(file, "operator token", operatorPrefix, 0o600)
}

// OpenNotify does so with the token by which Alertmanager tells us of alerts.
func OpenNotify(file string) (*Token, error) {
	return openToken(file, "notify token", notifyPrefix, 0o600)
}

// OpenSharedNotify does so with a file that its group may read too: Alertmanager
// runs as another user.
func OpenSharedNotify(file string) (*Token, error) {
	return openToken(file, "notify token", notifyPrefix, 0o640)
}

func openToken(file, name, prefix string, mode fs.FileMode) (*Token, error) {
	token, err := readToken(file, mode)
	if errors.Is(err, fs.ErrNotExist) {
		token, err = makeToken(file, prefix, mode)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if !strings.HasPrefix(token, prefix) || len(token) < len(prefix)+43 {
		return nil, fmt.Errorf("%s: %s holds none: remove the file, and a new one is made", name, file)
	}
	return &Token{file: file, hash: sha256.Sum256([]byte(token))}, nil
}

// ReadToken reads a token from a file that nobody else may read.
func ReadToken(file string) (string, error) { return readToken(file, 0o600) }

// readToken takes no file with more rights than mode.
func readToken(file string, mode fs.FileMode) (string, error) {
	info, err := os.Stat(file)
	if err != nil {
		return "", err
	}
	if info.Mode().Perm()&0o077&^mode != 0 {
		return "", fmt.Errorf("%s can be read by others: chmod %o %s, and have a new token made if others are not to be trusted", file, mode, file)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(data))
	if token == "" || strings.ContainsAny(token, " \t\r\n") {
		return "", fmt.Errorf("%s holds no token: one line is expected", file)
	}
	return token, nil
}

func makeToken(file, prefix string, mode fs.FileMode) (string, error) {
	var secret [32]byte
	_, _ = rand.Read(secret[:]) // never fails
	token := prefix + base64.RawURLEncoding.EncodeToString(secret[:])
	// A name that nobody can have put a link at: Alertmanager's user may write here.
	f, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".tmp")
	if err != nil {
		return "", err
	}
	_, err = f.WriteString(token + "\n")
	err = errors.Join(err, f.Chmod(mode), f.Close()) // whatever the umask
	if err == nil {
		err = os.Rename(f.Name(), file) // whole or not at all
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return token, err
}

// File is where the token is kept.
func (t *Token) File() string { return t.file }

// is compares in constant time.
func (t *Token) is(token string) bool {
	hash := sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(hash[:], t.hash[:]) == 1
}
