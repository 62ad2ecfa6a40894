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
	"strings"
)

// OperatorFile is the name of the operator token's file in the data folder.
const OperatorFile = "operator.token"

const operatorPrefix = "pm25op_"

// Operator is the token that lets whoever can read the server's data folder
// change something.
type Operator struct {
	file string
	hash [sha256.Size]byte
}

// OpenOperator reads the token, or makes one where there is none.
func OpenOperator(file string) (*Operator, error) {
	token, err := ReadToken(file)
	if errors.Is(err, fs.ErrNotExist) {
		token, err = makeToken(file)
	}
	if err != nil {
		return nil, fmt.Errorf("operator token: %w", err)
	}
	if !strings.HasPrefix(token, operatorPrefix) || len(token) < len(operatorPrefix)+43 {
		return nil, fmt.Errorf("operator token: %s holds none: remove the file, and a new one is made", file)
	}
	return &Operator{file: file, hash: sha256.Sum256([]byte(token))}, nil
}

// ReadToken reads a token from a file that nobody else may read.
func ReadToken(file string) (string, error) {
	info, err := os.Stat(file)
	if err != nil {
		return "", err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("%s can be read by others: chmod 600 %s, and have a new token made if others are not to be trusted", file, file)
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

func makeToken(file string) (string, error) {
	var secret [32]byte
	_, _ = rand.Read(secret[:]) // never fails
	token := operatorPrefix + base64.RawURLEncoding.EncodeToString(secret[:])
	err := os.WriteFile(file+".tmp", []byte(token+"\n"), 0o600)
	if err == nil {
		err = os.Rename(file+".tmp", file) // whole or not at all
	}
	return token, err
}

// File is where the token is kept.
func (o *Operator) File() string { return o.file }

// is compares in constant time.
func (o *Operator) is(token string) bool {
	hash := sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(hash[:], o.hash[:]) == 1
}
