package pm2

import (
	"fmt"
	"math"
	"strconv"

	"github.com/pm25/pm25/internal/pm2/jsonscan"
)

// The scanner forgives what does not matter; in a report everything does. These
// take a value of one kind and fail for any other.

func (d *reportDecoder) want(kind jsonscan.Kind) error {
	got, err := d.scan.Kind()
	if err == nil && got != kind {
		err = fmt.Errorf("%w: a value that starts with %q where one with %q belongs", errReport, byte(got), byte(kind))
	}
	return err
}

func (d *reportDecoder) object(field func(key []byte) error) error {
	if err := d.want(jsonscan.Object); err != nil {
		return err
	}
	return d.scan.Object(func(key []byte) error {
		if len(key) > 16 {
			return nil // longer than any that is known
		}
		return field(key)
	})
}

// array calls element with the index of each element, of which there may be
// limit.
func (d *reportDecoder) array(limit int, element func(i int) error) error {
	if err := d.want(jsonscan.Array); err != nil {
		return err
	}
	i := 0
	return d.scan.Array(func() error {
		if i == limit {
			return fmt.Errorf("%w: more than %d elements", errReport, limit)
		}
		i++
		return element(i - 1)
	})
}

func (d *reportDecoder) text(limit int) ([]byte, error) {
	if err := d.want(jsonscan.String); err != nil {
		return nil, err
	}
	return d.scan.Text(limit)
}

func (d *reportDecoder) literal() ([]byte, error) {
	if err := d.want(jsonscan.Number); err != nil {
		return nil, err
	}
	return d.scan.Text(32)
}

func (d *reportDecoder) truth() (bool, error) {
	kind, err := d.scan.Kind()
	if err != nil {
		return false, err
	}
	if kind != jsonscan.True && kind != jsonscan.False {
		return false, fmt.Errorf("%w: neither true nor false", errReport)
	}
	return d.scan.Bool()
}

// count takes a whole number that JavaScript can hold exactly.
func (d *reportDecoder) count() (uint64, error) {
	text, err := d.literal()
	if err != nil {
		return 0, err
	}
	var n uint64
	for _, c := range text {
		if c < '0' || c > '9' || n >= 1<<53/10 {
			return 0, fmt.Errorf("%w: no count", errReport)
		}
		n = n*10 + uint64(c-'0')
	}
	return n, nil
}

// counts takes exactly as many counts as there is room for, and their sum.
func (d *reportDecoder) counts(into []uint64) (sum uint64, err error) {
	n := 0
	err = d.array(len(into), func(i int) (err error) {
		into[i], err = d.count()
		sum += into[i]
		n++
		return err
	})
	if err == nil && n != len(into) {
		err = fmt.Errorf("%w: %d buckets, want %d", errReport, n, len(into))
	}
	return sum, err
}

// amount takes a finite number that is not negative.
func (d *reportDecoder) amount() (float64, error) {
	text, err := d.literal()
	if err != nil {
		return 0, err
	}
	v, perr := strconv.ParseFloat(string(text), 64)
	if perr != nil || v < 0 || math.IsInf(v, 0) || math.IsNaN(v) {
		return 0, fmt.Errorf("%w: no amount", errReport)
	}
	return v, nil
}

// gauge is amount, or NaN for null.
func (d *reportDecoder) gauge() (float64, error) {
	kind, err := d.scan.Kind()
	if err != nil {
		return 0, err
	}
	if kind == jsonscan.Null {
		return math.NaN(), d.scan.Skip()
	}
	return d.amount()
}

// gauges takes exactly that many.
func (d *reportDecoder) gauges(into ...*float64) error {
	n := 0
	err := d.array(len(into), func(i int) (err error) {
		*into[i], err = d.gauge()
		n++
		return err
	})
	if err == nil && n != len(into) {
		err = fmt.Errorf("%w: %d values, want %d", errReport, n, len(into))
	}
	return err
}

func (d *reportDecoder) millis() (int64, error) {
	v, err := d.amount()
	if err == nil && (v <= 946_684_800_000 || v >= 7_258_118_400_000) {
		err = fmt.Errorf("%w: no time of this age", errReport)
	}
	return int64(v), err
}
