package record

// Batch is the body of POST /api/v1/push: `Content-Type: application/json`,
// `Content-Encoding: gzip` or none, `Authorization: Bearer TOKEN`. One without
// records says that the agent is there.
type Batch struct {
	V       int       `json:"v"`
	Agent   Agent     `json:"agent"`
	Records []*Record `json:"records"`
}

// Agent is who sends.
type Agent struct {
	Host      string `json:"host"`
	Version   string `json:"version"`
	Advertise string `json:"advertise,omitempty"` // host:port of its metrics, where Prometheus should find it
	Scheme    string `json:"scheme,omitempty"`    // of that: https, or empty for http
}

// Receipt is the answer to a Batch, given when what it tells of is on the
// server's disk. Refused records were not kept and will not be, however often
// they come.
type Receipt struct {
	Stored     int       `json:"stored"`
	Duplicates int       `json:"duplicates"` // were there already
	Refused    []Refusal `json:"refused,omitempty"`
}

// Refusal says why a record was not kept.
type Refusal struct {
	Index  int    `json:"index"` // in the batch
	ID     string `json:"id,omitempty"`
	Reason Reason `json:"reason"`
	Error  string `json:"error"` // names the field, and the limit
}

// Reason is why a record was refused, as a label value.
type Reason string

// The reasons.
const (
	Invalid Reason = "invalid" // a field is missing or is none
	TooBig  Reason = "too_big" // a field is over its limit
	TooOld  Reason = "too_old" // older than ids are remembered
	TooNew  Reason = "too_new" // from the future: one of the clocks is wrong
)
