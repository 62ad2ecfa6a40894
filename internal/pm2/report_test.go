package pm2

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pm25/pm25/internal/pm2/pm2fake"
)

const (
	bounds     = `[0.005,0.01,0.025,0.05,0.1,0.2,0.3,0.5,0.6,1,2.5,5,10]`
	oneSeries  = `["GET","/users/:id","2xx",4,0.61,[0,0,0,1,1,0,1,0,0,0,0,0,0],1,[[-40,1],[-18,1,0,1]]]`
	someHTTP   = `{"le":` + bounds + `,"schema":3,"inflight":2,"collapsed":1,"series":[` + oneSeries + `]}`
	reportHead = `"v":1,"pid":1234,"start":1764100000123,"seq":7,"full":true,"ext":"0.1.0","node":"22.21.1"`
)

// wholeReport is a report with everything in it.
const wholeReport = `{` + reportHead + `,"http":` + someHTTP + `,
	"slow":[{"id":"0199b5a0-0000-7000-8000-000000000001","m":"GET","r":"/users/:id","c":200,"s":1.234,"at":1764100000456,"aborted":false,"target":"/users/1"},
		{"id":"0199b5a0-0000-7000-8000-000000000002","m":"PURGE","r":"/x","c":null,"s":9,"at":1764100000456,"aborted":true}],
	"slowDropped":0,
	"runtime":{"heap":[1,2,3,4,5],"afterGC":null,"gc":{"major":[2,0.5,[0,1,0,0,0,0]],"minor":[0,0,[0,0,0,0,0,0]],"new kind":[1]},
		"loop":[1.5,2.5],"delay":[0,1,2,3,4,5,6],"delayMax":0.05,"handles":5,"requests":0,"later":{"a":[1]}},
	"exceptions":{"uncaught":1,"rejection":2,"handled":3,"notified":4},"eventsDropped":9,"later":[{}]}`

const sender = `"process":{"pm_id":3,"name":"web","namespace":"default"}`

func readReports(data ...string) (reports []Report, bad []error) {
	var frames bytes.Buffer
	for _, d := range data {
		frames.Write(message(TopicReport, `{"at":1764100001000,"data":`+d+`,`+sender+`}`))
	}
	_ = NewBus(&frames).Read(func(ev *Event) {
		r := *ev.Report
		r.Series = append([]ReportSeries(nil), r.Series...)
		r.Slow = append([]SlowRequest(nil), r.Slow...)
		reports = append(reports, r)
	}, func(err error) { bad = append(bad, err) })
	return reports, bad
}

func TestDecodeReport(t *testing.T) {
	reports, bad := readReports(wholeReport)
	if len(bad) > 0 || len(reports) != 1 {
		t.Fatalf("%d reports, %v", len(reports), bad)
	}
	nan := math.NaN()
	want := Report{
		PID: 1234, Start: 1764100000123, Seq: 7, Full: true, HTTP: true, InFlight: 2, Collapsed: 1,
		Series: []ReportSeries{{
			Method: "GET", Route: "/users/:id", Code: "2xx", Count: 4, Sum: 0.61, Classic: [13]uint64{3: 1, 4: 1, 6: 1}, Zero: 1,
			Native: []ReportBucket{{-40, 1}, {-18, 1}, {-16, 1}},
		}},
		Slow: []SlowRequest{
			{"0199b5a0-0000-7000-8000-000000000001", "GET", "/users/:id", "2xx", 1.234, 1764100000456, 200, false, "/users/1"},
			{"0199b5a0-0000-7000-8000-000000000002", "PURGE", "/x", "aborted", 9, 1764100000456, 0, true, ""},
		},
		Runtime: &Runtime{
			HeapUsed: 1, HeapTotal: 2, HeapLimit: 3, External: 4, ArrayBuffers: 5, HeapAfterGC: nan,
			GC: [4]GC{{Count: 2, Sum: 0.5, Buckets: [6]uint64{1: 1}}}, Active: 1.5, Idle: 2.5,
			Delay: [7]float64{0, 1, 2, 3, 4, 5, 6}, DelayMax: 0.05, Handles: 5,
		},
		Exceptions: &[4]uint64{1, 2, 3, 4},
	}
	if diff := cmp.Diff(want, reports[0], cmpopts.EquateNaNs(), cmpopts.IgnoreUnexported(Report{})); diff != "" {
		t.Error(diff)
	}
}

// TestPartsThatAreOff: an app may turn parts of the extension off, and parts
// that fail are off.
func TestPartsThatAreOff(t *testing.T) {
	reports, bad := readReports(`{`+reportHead+`,"http":null,"slow":null,"runtime":null,"exceptions":null}`, `{`+reportHead+`}`)
	if len(bad) > 0 || len(reports) != 2 {
		t.Fatalf("%d reports, %v", len(reports), bad)
	}
	for _, r := range reports {
		if r.HTTP || r.Runtime != nil || r.Exceptions != nil {
			t.Errorf("%+v", r)
		}
	}
}

// TestRecordedReports: what the extension really sends is understood.
func TestRecordedReports(t *testing.T) {
	files, err := filepath.Glob("testdata/ext/*.jsonl")
	if err != nil || len(files) == 0 {
		t.Fatal("no recordings", err)
	}
	kinds, series, slow := map[EventKind]int{}, 0, 0
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		handle := func(ev *Event) {
			kinds[ev.Kind]++
			if ev.Kind == EventReport {
				checkReport(t, ev.Report)
				series += len(ev.Report.Series)
				slow += len(ev.Report.Slow)
				if ev.Report.Runtime == nil || !(ev.Report.Runtime.HeapUsed > 0) || ev.Report.Exceptions == nil || ev.PMID < 0 {
					t.Errorf("%s: %+v", name, ev.Report)
				}
			}
		}
		bad := func(err error) { t.Errorf("%s: %v", name, err) }
		if strings.HasPrefix(filepath.Base(name), "socket-") {
			_ = NewExtStream(bytes.NewReader(data)).Read(handle, bad)
			continue
		}
		var frames bytes.Buffer
		for line := range bytes.Lines(data) {
			var m struct {
				Topic   string
				Payload json.RawMessage
			}
			if err := json.Unmarshal(line, &m); err != nil {
				t.Fatal(err)
			}
			frames.Write(message(m.Topic, string(m.Payload)))
		}
		_ = NewBus(&frames).Read(handle, bad)
	}
	if kinds[EventReport] == 0 || kinds[EventExtException] == 0 || kinds[EventExtEvent] == 0 || series == 0 || slow == 0 || kinds[EventCustom] > 0 {
		t.Errorf("%v, %d series, %d slow requests", kinds, series, slow)
	}
}

// TestReportsThatAreNot: what is wrong in any part is dropped whole, and the
// next one is read.
func TestReportsThatAreNot(t *testing.T) {
	change := func(from, to string) string {
		if !strings.Contains(wholeReport, from) {
			panic("not in the report: " + from)
		}
		return strings.Replace(wholeReport, from, to, 1)
	}
	series := func(s string) string { return change(oneSeries, s) }
	for name, data := range map[string]string{
		"nothing":                        `null`,
		"a text":                         `"report"`,
		"no head":                        `{}`,
		"a later version":                change(`"v":1`, `"v":2`),
		"no version":                     change(`"v":1,`, ``),
		"a pid in words":                 change(`"pid":1234`, `"pid":"1234"`),
		"no pid":                         change(`"pid":1234,`, ``),
		"no start":                       change(`"start":1764100000123`, `"start":0`),
		"a start of long ago":            change(`"start":1764100000123`, `"start":12`),
		"no seq":                         change(`"seq":7`, `"seq":0`),
		"a seq beyond JavaScript's":      change(`"seq":7`, `"seq":99999999999999999`),
		"full in words":                  change(`"full":true`, `"full":"true"`),
		"other bounds":                   change(`[0.005,`, `[0.004,`),
		"more bounds":                    change(`5,10],"schema"`, `5,10,20],"schema"`),
		"fewer bounds":                   change(`,5,10],"schema"`, `,5],"schema"`),
		"no bounds":                      change(`"le":`+bounds+`,`, ``),
		"another schema":                 change(`"schema":3`, `"schema":4`),
		"negative in flight":             change(`"inflight":2`, `"inflight":-2`),
		"series that are none":           series(`7`),
		"a short series":                 series(`["GET","/users/:id","2xx",4,0.61]`),
		"a long series":                  series(strings.Replace(oneSeries, `[[-40`, `7,[[-40`, 1)),
		"a negative count":               series(strings.Replace(oneSeries, `"2xx",4`, `"2xx",-4`, 1)),
		"half a count":                   series(strings.Replace(oneSeries, `"2xx",4`, `"2xx",4.5`, 1)),
		"a count beyond JavaScript's":    series(strings.Replace(oneSeries, `"2xx",4`, `"2xx",99999999999999999`, 1)),
		"a negative sum":                 series(strings.Replace(oneSeries, `0.61`, `-0.61`, 1)),
		"a sum that is none":             series(strings.Replace(oneSeries, `0.61`, `1e999`, 1)),
		"a sum of null":                  series(strings.Replace(oneSeries, `0.61`, `null`, 1)),
		"an unknown class":               series(strings.Replace(oneSeries, `2xx`, `200`, 1)),
		"an empty route":                 series(strings.Replace(oneSeries, `/users/:id`, ``, 1)),
		"too few classic buckets":        series(strings.Replace(oneSeries, `[0,0,0,1`, `[0,0,1`, 1)),
		"too many classic buckets":       series(strings.Replace(oneSeries, `[0,0,0,1`, `[0,0,0,0,1`, 1)),
		"more in buckets than requests":  series(strings.Replace(oneSeries, `[0,0,0,1`, `[9,0,0,1`, 1)),
		"fewer in exponential buckets":   series(strings.Replace(oneSeries, `[-40,1],`, ``, 1)),
		"more in exponential buckets":    series(strings.Replace(oneSeries, `[-40,1],`, `[-40,2],`, 1)),
		"buckets out of order":           series(strings.Replace(oneSeries, `[-40,1],[-18,1,0,1]`, `[-18,1,0,1],[-40,1]`, 1)),
		"the same bucket twice":          series(strings.Replace(oneSeries, `[-40,1],[-18,1,0,1]`, `[-18,1,0,0],[-18,2]`, 1)),
		"a bucket out of range":          series(strings.Replace(oneSeries, `-18`, `160`, 1)),
		"an index of a bucket in halves": series(strings.Replace(oneSeries, `-18`, `-17.5`, 1)),
		"a slow request without an id":   change(`"id":"0199b5a0-0000-7000-8000-000000000001",`, ``),
		"an id that is none":             change(`0199b5a0-0000-7000-8000-000000000001`, `0199b5a0 0000 7000 8000 000000000001`),
		"an id with a quote":             change(`0199b5a0-0000-7000-8000-000000000001`, `0199b5a0-0000-7000-8000-00000000000\"`),
		"a short heap":                   change(`[1,2,3,4,5]`, `[1,2,3,4]`),
		"a heap in words":                change(`[1,2,3,4,5]`, `"big"`),
		"collections that do not add up": change(`[2,0.5,[0,1`, `[2,0.5,[2,1`),
		"negative delay":                 change(`"delay":[0`, `"delay":[-1`),
		"exceptions that are none":       change(`"uncaught":1`, `"uncaught":true`),
		"too many series":                series(oneSeries + strings.Repeat(`,`+oneSeries, maxSeries)),
		"cut":                            wholeReport[:len(wholeReport)/2],
	} {
		t.Run(name, func(t *testing.T) {
			reports, bad := readReports(wholeReport, data, wholeReport)
			if len(reports) != 2 || len(bad) != 1 {
				t.Errorf("%d reports, undecodable: %v", len(reports), bad)
			}
		})
	}
}

// TestReportsNames: what an app calls its routes and methods becomes a label.
func TestReportsNames(t *testing.T) {
	long := strings.Repeat("/long", 1000)
	for _, c := range []struct{ sent, method, route string }{
		{`"get","/a"`, OtherMethod, "/a"},
		{`"GET\n","/a\u0000b"`, OtherMethod, "/a\uFFFDb"},
		{`"PROPFIND","/é"`, "PROPFIND", "/é"},
		{`"` + strings.Repeat("X", 100) + `","/a"`, OtherMethod, "/a"},
		{`"","` + long + `"`, OtherMethod, long[:maxName-9]},
		{`"POST","\ud800\ud800"`, "POST", "\uFFFD\uFFFD"},
	} {
		reports, bad := readReports(strings.Replace(wholeReport, `"GET","/users/:id"`, c.sent, 1))
		if len(reports) != 1 {
			t.Fatalf("%s: %v", c.sent, bad)
		}
		s := reports[0].Series[0]
		if route, _, _ := strings.Cut(s.Route, "~"); s.Method != c.method || route != c.route || len(s.Route) > maxName {
			t.Errorf("%.40s: %q %q, want %q %q", c.sent, s.Method, s.Route, c.method, c.route)
		}
	}
}

// TestReportsLeaveNoGarbage: a hundred processes report every few seconds.
func TestReportsLeaveNoGarbage(t *testing.T) {
	var many []string
	for i := range 50 {
		many = append(many, strings.Replace(oneSeries, "/users/:id", fmt.Sprint("/r", i), 1))
	}
	frame := message(TopicReport, `{"at":1764100001000,"data":`+strings.Replace(wholeReport, oneSeries, strings.Join(many, ","), 1)+`,`+sender+`}`)
	in := &bytes.Reader{}
	bus := NewBus(in)
	read := func() {
		in.Reset(frame)
		_, _ = bus.in.Next()
		ev := Event{PMID: -1}
		if err := bus.message(&ev); err != nil || len(ev.Report.Series) != 50 {
			t.Fatal(err)
		}
	}
	read()
	// Some for each report, none for each series.
	if n := testing.AllocsPerRun(100, read); n > 100 {
		t.Errorf("%v allocations for a report", n)
	}
}

func TestTransactions(t *testing.T) {
	for data, want := range map[string][2]string{
		`{"url":"/a?token=canary","method":"GET","time":312,"code":200,"ip":"::1","size":5}`: {"GET", "2xx"},
		`{"method":"BREW","code":"503"}`: {OtherMethod, "5xx"},
		`{"method":7,"code":7}`:          {OtherMethod, OtherCode},
		`"text"`:                         {OtherMethod, OtherCode},
	} {
		var got [][2]string
		err := NewBus(bytes.NewReader(message("http:transaction", `{"data":`+data+`,`+sender+`}`))).Read(func(ev *Event) {
			got = append(got, [2]string{ev.Method, ev.Code})
		}, func(err error) { t.Error(err) })
		if !errors.Is(err, io.EOF) || len(got) != 1 || got[0] != want {
			t.Errorf("%s: %q, want %q", data, got, want)
		}
	}
}

func TestExtStream(t *testing.T) {
	line := func(topic, data string) string {
		return `{"topic":"` + topic + `","data":` + strings.ReplaceAll(data, "\n", "") + `,"pm_id":4}` + "\n"
	}
	good := line(TopicReport, wholeReport)
	for name, c := range map[string]struct {
		in        string
		good, bad int
	}{
		"reports":                   {good + good, 2, 0},
		"an exception and an event": {line(TopicException, `{"v":1}`) + line(TopicEvent, `{}`), 2, 0},
		"PM2's own topics":          {good + line("process:event", `{"event":"exit"}`) + line("log:PM2", `"x"`) + good, 2, 2},
		"no topic":                  {`{"pm_id":4}` + "\n" + good, 1, 1},
		"topic behind the data":     {`{"data":` + strings.ReplaceAll(wholeReport, "\n", "") + `,"topic":"pm25:report","pm_id":4}` + "\n" + good, 1, 1},
		"no JSON":                   {"hello\n\n[]\n" + good, 1, 3},
		"more than an object":       {strings.TrimSuffix(good, "\n") + `{"x":1}` + "\n" + good, 2, 0},
		"a line that is too long":   {`{"topic":"pm25:report","data":{"x":"` + strings.Repeat("y", MaxExtLine) + "\"}}\n" + good, 1, 1},
		"a malformed report":        {line(TopicReport, `{"v":1}`) + good, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			for _, in := range []io.Reader{strings.NewReader(c.in), oneByte{strings.NewReader(c.in)}} {
				var n, bad int
				err := NewExtStream(in).Read(func(ev *Event) {
					n++
					if ev.PMID != 4 || ev.Name != "" || ev.Kind == EventReport && len(ev.Report.Series) != 1 {
						t.Errorf("%+v", ev)
					}
				}, func(error) { bad++ })
				if n != c.good || bad != c.bad || !errors.Is(err, io.EOF) {
					t.Errorf("%d messages, %d that are none, end %v; want %d and %d", n, bad, err, c.good, c.bad)
				}
			}
		})
	}
	if err := NewExtStream(strings.NewReader(good[:100])).Read(nil, nil); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a line that is cut: %v", err)
	}
}

// FuzzReport feeds bytes of an app: whatever they are, what comes out holds the
// invariants that counting relies on.
func FuzzReport(f *testing.F) {
	f.Add([]byte(wholeReport))
	f.Add([]byte(`{` + reportHead + `,"http":` + someHTTP + `}`))
	f.Add([]byte(`{` + reportHead + `,"http":{"series":[[]]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		frame := pm2fake.Frame(pm2fake.Text(TopicReport), append([]byte(`j:{"data":`), append(data, `}`...)...))
		_ = NewBus(bytes.NewReader(frame)).Read(func(ev *Event) { checkReport(t, ev.Report) }, func(error) {})
		_ = NewExtStream(bytes.NewReader(data)).Read(func(ev *Event) {
			if ev.Kind == EventReport {
				checkReport(t, ev.Report)
			}
		}, func(error) {})
	})
}

func checkReport(t *testing.T, r *Report) {
	t.Helper()
	if r.PID <= 0 || time.UnixMilli(r.Start).Year() < 1999 || r.Seq == 0 || len(r.Series) > maxSeries || len(r.Slow) > maxSlow {
		t.Errorf("%+v", r)
	}
	for _, s := range r.Series {
		var classic, native uint64
		for _, n := range s.Classic {
			classic += n
		}
		for i, b := range s.Native {
			native += b.Count
			if b.Index < MinBucket || b.Index > MaxBucket || i > 0 && s.Native[i-1].Index >= b.Index {
				t.Errorf("buckets %v", s.Native)
			}
		}
		if classic > s.Count || native+s.Zero != s.Count || !(s.Sum >= 0) || math.IsInf(s.Sum, 0) || len(s.Route) > maxName || s.Route == "" || len(s.Method) > maxMethod {
			t.Errorf("%+v", s)
		}
	}
}
