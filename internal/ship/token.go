package ship

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// maxToken bounds a token file.
const maxToken = 4 << 10

// readToken returns the token in a file, of one line. A new token takes the place
// of the old one while the program runs.
func readToken(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", fmt.Errorf("--server.token-file: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxToken+1))
	if err != nil {
		return "", fmt.Errorf("--server.token-file: %w", err)
	}
	token := strings.TrimSpace(string(data))
	if err := checkToken(token); err != nil {
		return "", fmt.Errorf("--server.token-file %s: %w", file, err)
	}
	return token, nil
}

// checkToken says what is wrong with a token, without a part of it.
func checkToken(token string) error {
	switch {
	case token == "":
		return errors.New("it is empty: put the bucket's token into it")
	case len(token) > maxToken || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		return errors.New("it does not hold one token alone on one line")
	}
	return nil
}

// tooOpen returns a file's permissions if they let others read a token.
func tooOpen(file string) (mode os.FileMode, open bool) {
	info, err := os.Stat(file)
	if err != nil {
		return 0, false
	}
	return info.Mode().Perm(), info.Mode().Perm()&^0o640 != 0
}
