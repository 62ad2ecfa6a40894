package server

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"

	"github.com/pm25/pm25/internal/record"
)

func tooLarge(text string) error {
	return &rejection{code: http.StatusRequestEntityTooLarge, reason: "too_large", text: text}
}

func noBatch(text string) error {
	return &rejection{code: http.StatusBadRequest, reason: "no_batch", text: "the body is no batch: " + text}
}

// readBody returns the body, decompressed: it stops reading, and decompressing,
// at the limit.
func readBody(r *http.Request) ([]byte, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, &rejection{code: http.StatusUnsupportedMediaType, reason: "media_type", text: "Content-Type has to be application/json"}
	}
	if r.ContentLength > record.MaxBatch {
		return nil, tooLarge(fmt.Sprintf("the body is %d bytes, at most %d are taken", r.ContentLength, record.MaxBatch))
	}
	body := io.LimitReader(r.Body, record.MaxBatch+1)
	switch encoding := r.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
	case "gzip":
		z, err := gzip.NewReader(body)
		if err != nil {
			return nil, bodyError(err)
		}
		z.Multistream(false) // one body, one stream
		body = io.LimitReader(z, record.MaxBatch+1)
	default:
		return nil, &rejection{code: http.StatusUnsupportedMediaType, reason: "media_type", text: "Content-Encoding has to be gzip or none"}
	}
	data, err := io.ReadAll(body)
	switch {
	case len(data) > record.MaxBatch:
		return nil, tooLarge(fmt.Sprintf("the body is larger than the %d bytes that are taken, after decompression", record.MaxBatch))
	case err != nil:
		return nil, bodyError(err)
	}
	return data, nil
}

// bodyError tells a body that is none from one that did not arrive.
func bodyError(err error) error {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &rejection{code: http.StatusRequestTimeout, reason: "slow", text: fmt.Sprintf("the body took longer than %s to arrive", bodyTimeout)}
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), isCorrupt(err):
		return noBatch("it is not gzip")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return noBatch("it ends too early")
	}
	return &rejection{code: http.StatusRequestTimeout, reason: "gone", text: "the body did not arrive whole"}
}
