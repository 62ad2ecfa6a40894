package ship

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/internal/ship/spool"
)

const (
	pushTimeout = time.Minute
	maxReceipt  = 1 << 20
	maxTold     = 200 // bytes of an answer that is no receipt, for the log

	end = "]}" // of a batch
)

// answer is what came of a request.
type answer struct {
	receipt record.Receipt
	failure Failure // empty: receipt accounts for all that was sent
	status  int     // 0: there was none
	after   string  // Retry-After
	err     error
}

// pusher makes requests, one at a time.
type pusher struct {
	o      *Options
	url    string
	client *http.Client
	agent  []byte // the batch up to its records
	zip    *gzip.Writer
	body   bytes.Buffer
}

func newPusher(o *Options) (*pusher, error) {
	url, err := pushURL(o.URL, true)
	if err != nil {
		return nil, err
	}
	transport, err := o.transport()
	if err != nil {
		return nil, err
	}
	if o.Token == nil {
		if _, err := readToken(o.TokenFile); err != nil {
			return nil, err
		}
	}
	agent, err := json.Marshal(record.Agent{Host: o.Host, Version: o.AgentVersion, Advertise: o.Advertise, Scheme: o.Scheme})
	if err != nil {
		return nil, err
	}
	return &pusher{
		o: o, url: url, agent: fmt.Appendf(nil, `{"v":%d,"agent":%s,"records":[`, record.Version, agent),
		client: &http.Client{
			Transport: transport,
			// The token and the records are for this server alone.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

func (p *pusher) close() { p.client.CloseIdleConnections() }

// rest gives back the memory that batches need.
func (p *pusher) rest() {
	p.zip = nil
	p.body = bytes.Buffer{}
}

// push sends records; without any it says that the agent is there.
func (p *pusher) push(ctx context.Context, records []spool.Record) answer {
	token, err := p.token()
	if err != nil {
		return answer{failure: NoToken, err: err}
	}
	if err := p.fill(records); err != nil {
		return answer{failure: Unreachable, err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, pushTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, bytes.NewReader(p.body.Bytes()))
	if err != nil {
		return answer{failure: Unreachable, err: err}
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	if len(records) > 0 {
		r.Header.Set("Content-Encoding", "gzip")
	}
	r.Header.Set("User-Agent", "pm25-agent/"+p.o.AgentVersion)
	// Ids make it so: a request on a connection that the server has just closed may
	// go again. Nothing is sent for this.
	r.Header["Idempotency-Key"] = nil
	response, err := p.client.Do(r)
	if err != nil {
		return answer{failure: Unreachable, err: err}
	}
	defer response.Body.Close()
	a := p.read(response, len(records))
	if a.err != nil {
		a.err = errors.New(strings.ReplaceAll(a.err.Error(), token, "(token)")) // an answer may hold what was sent
	}
	return a
}

func (p *pusher) token() (string, error) {
	if p.o.Token == nil {
		return readToken(p.o.TokenFile)
	}
	token, err := p.o.Token()
	if err == nil {
		err = checkToken(token)
	}
	return token, err
}

// fill makes the body. The records are JSON already.
func (p *pusher) fill(records []spool.Record) error {
	p.body.Reset()
	if len(records) == 0 {
		p.body.Write(p.agent)
		p.body.WriteString(end)
		return nil
	}
	if p.zip == nil {
		var err error
		if p.zip, err = gzip.NewWriterLevel(&p.body, gzip.BestSpeed); err != nil {
			return err
		}
	} else {
		p.zip.Reset(&p.body)
	}
	_, _ = p.zip.Write(p.agent) // a buffer takes everything
	for i, r := range records {
		if i > 0 {
			_, _ = p.zip.Write([]byte{','})
		}
		_, _ = p.zip.Write(r.JSON)
	}
	_, _ = p.zip.Write([]byte(end))
	return p.zip.Close()
}

// read judges a response.
func (p *pusher) read(response *http.Response, sent int) answer {
	a := answer{status: response.StatusCode, after: response.Header.Get("Retry-After")}
	if a.status == http.StatusOK {
		body, err := io.ReadAll(io.LimitReader(response.Body, maxReceipt+1))
		switch {
		case err != nil:
			a.failure, a.err = Unreachable, fmt.Errorf("reading the receipt: %w", err)
			return a
		case len(body) > maxReceipt:
			a.failure, a.err = BadReceipt, fmt.Errorf("the answer has more than %d bytes", maxReceipt)
			return a
		}
		if err := account(body, &a.receipt, sent); err != nil {
			a.failure, a.err = BadReceipt, fmt.Errorf("%w: %q", err, told(body))
		}
		return a
	}
	body, _ := io.ReadAll(io.LimitReader(response.Body, maxTold))
	a.failure, a.err = failureOf(a.status), fmt.Errorf("the server answered %d: %s", a.status, reason(body))
	return a
}

// account reads a receipt. One that does not say of each record where it is
// acknowledges nothing.
func account(body []byte, r *record.Receipt, sent int) error {
	if err := json.Unmarshal(body, r); err != nil {
		return fmt.Errorf("the answer is no receipt: %w", err)
	}
	if r.Stored < 0 || r.Duplicates < 0 || r.Stored+r.Duplicates+len(r.Refused) != sent {
		return fmt.Errorf("the receipt tells of %d stored, %d duplicates and %d refused, not of %d records", r.Stored, r.Duplicates, len(r.Refused), sent)
	}
	seen := make(map[int]bool, len(r.Refused))
	for _, refused := range r.Refused {
		if refused.Index < 0 || refused.Index >= sent || seen[refused.Index] {
			return fmt.Errorf("the receipt refuses record %d of %d, or twice", refused.Index, sent)
		}
		seen[refused.Index] = true
	}
	return nil
}

// reason is what an answer says of itself: what our server says in its envelope,
// or as it is.
func reason(body []byte) string {
	var envelope struct{ Error string }
	if json.Unmarshal(body, &envelope) == nil && envelope.Error != "" {
		body = []byte(envelope.Error)
	}
	return told(body)
}

// told is the beginning of a body as a log may hold it.
func told(body []byte) string {
	text := string(body[:min(len(body), maxTold)])
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(text, ""))
}

func failureOf(status int) Failure {
	switch {
	case status == http.StatusBadRequest || status == http.StatusRequestEntityTooLarge:
		return TooMuch
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return Unauthorized
	case status == http.StatusTooManyRequests:
		return Throttled
	case status == http.StatusRequestTimeout || status >= 500:
		return ServerError
	}
	return NotServer
}
