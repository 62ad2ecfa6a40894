package notify

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/pm25/pm25/internal/notify/robot"
	"github.com/pm25/pm25/rules/routing"
)

// maxSecret bounds a file with a URL or a secret.
const maxSecret = 8 << 10

// readTarget reads where a robot is and its secret. Errors name files, and hold
// nothing of what is in them.
func readTarget(kind robot.Kind, r routing.Robot) (robot.Target, error) {
	t := robot.Target{Kind: kind}
	var err error
	if t.URL, err = readSecret("url_file", r.URLFile); err != nil {
		return t, err
	}
	if r.SecretFile != "" {
		if t.Secret, err = readSecret("secret_file", r.SecretFile); err != nil {
			return t, err
		}
	}
	if err := t.Check(); err != nil {
		return t, fmt.Errorf("url_file %s: %w", r.URLFile, err)
	}
	return t, nil
}

func readSecret(field, file string) (string, error) {
	info, err := os.Stat(file)
	if err == nil && (info.Size() > maxSecret || !info.Mode().IsRegular()) {
		return "", fmt.Errorf("%s %s is no file with one line", field, file)
	}
	var data []byte
	if err == nil {
		data, err = os.ReadFile(file)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("%s %s is not there", field, file)
	case errors.Is(err, fs.ErrPermission):
		return "", fmt.Errorf("%s %s can not be read by the user that PM25 runs as", field, file)
	case err != nil:
		return "", fmt.Errorf("%s %s can not be read", field, file)
	}
	text := strings.TrimSpace(string(data))
	if text == "" || strings.ContainsAny(text, " \t\r\n") {
		return "", fmt.Errorf("%s %s has to hold one line", field, file)
	}
	return text, nil
}
