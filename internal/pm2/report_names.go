package pm2

import "fmt"

// method takes a method of HTTP; what is none is (other).
func (d *reportDecoder) method() (string, error) {
	text, err := d.text(maxMethod)
	if err != nil {
		return "", err
	}
	return d.cleanMethod(text), nil
}

// cleanMethod keeps words of capital letters, as methods are. How many there
// are is bounded by who counts them.
func (d *reportDecoder) cleanMethod(text []byte) string {
	if known := knownMethod(text); known != OtherMethod || len(text) == 0 || len(text) >= maxMethod {
		return known
	}
	for _, c := range text {
		if (c < 'A' || c > 'Z') && c != '-' && c != '_' {
			return OtherMethod
		}
	}
	return d.names.get(text)
}

// knownMethod is the method if it is one of HTTP's usual ones.
func knownMethod(text []byte) string {
	for _, known := range [...]string{"GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS"} {
		if string(text) == known {
			return known
		}
	}
	return OtherMethod
}

func (d *reportDecoder) name() (string, error) {
	text, err := d.text(maxRawName)
	if err != nil {
		return "", err
	}
	if len(text) == 0 {
		return "", fmt.Errorf("%w: an empty route", errReport)
	}
	return d.names.get(text), nil
}

func (d *reportDecoder) code() (string, error) {
	text, err := d.text(16)
	if err != nil {
		return "", err
	}
	for _, known := range [...]string{"2xx", "3xx", "4xx", "5xx", "1xx", "aborted"} {
		if string(text) == known {
			return known, nil
		}
	}
	return "", fmt.Errorf("%w: unknown class of status codes", errReport)
}

// classOf is the class of a status code, "" for what is none.
func classOf(status float64) string {
	switch {
	case status >= 100 && status < 200:
		return "1xx"
	case status >= 200 && status < 300:
		return "2xx"
	case status >= 300 && status < 400:
		return "3xx"
	case status >= 400 && status < 500:
		return "4xx"
	case status >= 500 && status < 600:
		return "5xx"
	}
	return ""
}

func (d *reportDecoder) uuid() (string, error) {
	text, err := d.text(40)
	if err != nil {
		return "", err
	}
	if len(text) != 36 {
		return "", fmt.Errorf("%w: an id that is no UUID", errReport)
	}
	for i, c := range text {
		hyphen := i == 8 || i == 13 || i == 18 || i == 23
		if hyphen != (c == '-') || !hyphen && (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return "", fmt.Errorf("%w: an id that is no UUID", errReport)
		}
	}
	return string(text), nil
}
