package cron

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestLikePM2 asks the library that PM2 itself uses about many expressions at
// many times, and more of them around the hours in which clocks are changed.
// Versions of PM2 that bring the same file are asked once.
func TestLikePM2(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("no Node.js here")
	}
	asked := map[string]bool{}
	for _, version := range []string{"7", "6", "5"} {
		t.Run(version, func(t *testing.T) {
			module, err := filepath.Abs(filepath.Join("..", "..", "tools", "pm2", version, "node_modules", "croner"))
			if err != nil {
				t.Fatal(err)
			}
			code, err := os.ReadFile(filepath.Join(module, "dist", "croner.cjs"))
			if err != nil {
				t.Skip("PM2 is not installed: make pm2")
			}
			if asked[string(code)] {
				t.Skip("the same library as above")
			}
			asked[string(code)] = true
			total := 0
			for name, changes := range zones() {
				total += likePM2(t, node, module, name, changes)
			}
			t.Logf("%d times are PM2's", total)
		})
	}
}

// zones are time zones, and moments near which something happens to their
// clocks.
func zones() map[string][]string {
	return map[string][]string{
		"UTC":                 {"2026-02-28T23:59:59Z"},
		"Asia/Shanghai":       {"2026-12-31T16:00:00Z"},
		"Asia/Kolkata":        {"2026-06-30T18:30:00Z"},
		"America/New_York":    {"2026-03-08T07:00:00Z", "2026-11-01T06:00:00Z"},
		"Europe/Berlin":       {"2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z"},
		"Australia/Lord_Howe": {"2026-10-03T15:30:00Z", "2026-04-04T15:00:00Z"}, // half an hour
		"America/Sao_Paulo":   {"2018-11-04T03:00:00Z", "2018-02-18T02:00:00Z"}, // at midnight
		"Pacific/Apia":        {"2011-12-30T10:00:00Z"},                         // a day that never was
	}
}

func likePM2(t *testing.T, node, module, name string, changes []string) int {
	location := zone(t, name)
	random := rand.New(rand.NewPCG(25, uint64(len(name))))
	type question struct {
		expression string
		from       time.Time
	}
	var asked []question
	var input bytes.Buffer
	for _, expression := range expressions() {
		for _, from := range moments(t, random, changes) {
			asked = append(asked, question{expression, from.In(location)})
			fmt.Fprintf(&input, "%s\t%d\t%s\n", name, from.UnixMilli(), expression)
		}
	}
	cmd := exec.CommandContext(t.Context(), node, filepath.Join("testdata", "croner.js"), module)
	cmd.Env = []string{"TZ=" + name, "PATH=" + os.Getenv("PATH")}
	cmd.Stdin, cmd.Stderr = &input, os.Stderr
	output, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	answers := strings.Fields(string(output))
	if len(answers) != len(asked) {
		t.Fatalf("%d answers to %d questions", len(answers), len(asked))
	}
	for i, q := range asked {
		if got := answer(q.expression, q.from); got != answers[i] {
			t.Errorf("%q registered %v: %s, of PM2 %s", q.expression, q.from.Format(time.RFC3339Nano), readable(got, location), readable(answers[i], location))
		}
	}
	return len(asked)
}

func answer(expression string, from time.Time) string {
	s, err := Parse(expression, from)
	if err != nil {
		return "refused"
	}
	due, ok := s.Next(from)
	if !ok {
		return "never"
	}
	return strconv.FormatInt(due.UnixMilli(), 10)
}

func readable(answer string, location *time.Location) string {
	ms, err := strconv.ParseInt(answer, 10, 64)
	if err != nil {
		return answer
	}
	return time.UnixMilli(ms).In(location).Format(time.RFC3339Nano)
}

func moments(t *testing.T, random *rand.Rand, changes []string) []time.Time {
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var out []time.Time
	for range 6 {
		out = append(out, from.Add(time.Duration(random.Int64N(int64(3*365*24*time.Hour)))))
	}
	for _, text := range changes {
		change, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		for _, shift := range []time.Duration{-26 * time.Hour, -time.Hour, -30 * time.Second, 0, time.Minute, 45 * time.Minute} {
			out = append(out, change.Add(shift))
		}
		for range 4 {
			out = append(out, change.Add(time.Duration(random.Int64N(int64(6*time.Hour)))-3*time.Hour))
		}
	}
	return out
}

// expressions are some that people write, some that they should not, and some
// made by chance.
func expressions() []string {
	list := []string{
		"* * * * *", "*/2 * * * * *", "*/5 * * * *", "0 3 * * *", "30 2 * * *", "15,45 1-3 * * *", "0 0 * * *", "0 0 * * 0", "0 0 * * 7", "0 9 * * MON-FRI",
		"0 0 1 * *", "0 0 L * *", "0 12 L 2 *", "59 59 23 31 12 *", "0 0 29 2 *", "0 0 29 2 1", "0 0 31 * *", "0 0 31 4 *", "0 0 30 2 *", "0 0 1,30 * *",
		"0 0 13 * 5", "0 0 1 jan *", "0 0 1 JAN,Jul *", "0 0 1 jan-mar *", "*/10 * * * 1", "* * * * sat", "0 */6 * * *", "0 1/5 * * *", "0 0 5/2 * *", "0 0 * 2/3 *",
		"10-50/20 * * * *", "* * * * */2", "* * * * 1/2", "0 0 * * 5-7", "? * * * *", "0 ? ? * *", "? ? ? ? ? ?", "0 0 ? * ?", "1,,2 * * * *", ",1 * * * *", "01 002 * * *", "5* * * * *",
		"  0   4  *  * *  ", "0 0 28-31 * 1", "0 0 1-7 * 1", "0 0 l * 5", "0,30 0,12 */3 * *", "45 2 * * *", "15,40 2 * * *", "0 2 * * *", "*,5 * * * *", "0 0 1 * 0,6",
	}
	random := rand.New(rand.NewPCG(25, 25))
	all := fields()
	for range 150 {
		parts := make([]string, 0, 6)
		for i, f := range all {
			if i == 0 && random.IntN(3) > 0 {
				continue
			}
			parts = append(parts, chance(random, f))
		}
		list = append(list, strings.Join(parts, " "))
	}
	return list
}

// chance makes one field; about one in thirty is wrong.
func chance(random *rand.Rand, f field) string {
	value := func() int { return f.first + random.IntN(f.size) }
	switch random.IntN(12) {
	case 0:
		return strconv.Itoa(value())
	case 1:
		return fmt.Sprintf("%d,%d,%d", value(), value(), value())
	case 2:
		a, b := value(), value()
		return fmt.Sprintf("%d-%d", min(a, b), max(a, b))
	case 3:
		return fmt.Sprintf("*/%d", 1+random.IntN(f.size))
	case 4:
		a, b := value(), value()
		return fmt.Sprintf("%d-%d/%d", min(a, b), max(a, b), 1+random.IntN(f.size))
	case 5:
		return fmt.Sprintf("%d/%d", random.IntN(f.size), 1+random.IntN(9))
	case 6:
		return strconv.Itoa(f.first + random.IntN(f.size+f.size/8+1))
	}
	return "*"
}
