package pm2

// request is one of the three messages that this program ever sends to a PM2
// daemon. PM2 restarts every app when a message does not fit its handler
// (wrong number of arguments, null, JSON that does not parse), so requests
// are constants: nothing is ever encoded at run time, and a test holds that
// no other byte can leave.
//
// Each is an AMP frame of two arguments: the call as JSON, with exactly one
// argument because PM2 appends its own callback, and an id that PM2 echoes.
// Calls on one connection run one after the other, so the id needs to tell
// methods apart, not calls.
type request string

const (
	requestPing           request = "\x12" + "\x00\x00\x00\x2d" + `j:{"type":"call","method":"ping","args":[{}]}` + "\x00\x00\x00\x08" + "s:pm25:1"
	requestGetVersion     request = "\x12" + "\x00\x00\x00\x33" + `j:{"type":"call","method":"getVersion","args":[{}]}` + "\x00\x00\x00\x08" + "s:pm25:2"
	requestGetMonitorData request = "\x12" + "\x00\x00\x00\x37" + `j:{"type":"call","method":"getMonitorData","args":[{}]}` + "\x00\x00\x00\x08" + "s:pm25:3"
)

// id returns the last argument of the frame, which the answer repeats.
func (r request) id() string { return string(r[len(r)-8:]) }

func (r request) String() string {
	switch r {
	case requestPing:
		return "ping"
	case requestGetVersion:
		return "getVersion"
	default:
		return "getMonitorData"
	}
}
