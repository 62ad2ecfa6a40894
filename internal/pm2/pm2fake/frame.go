package pm2fake

import (
	"encoding/binary"
	"encoding/json"
)

// The frames are made here from the description of the protocol, by other code
// than the client's, so that the two check each other.

// Frame encodes an AMP frame.
func Frame(args ...[]byte) []byte {
	out := []byte{1<<4 | byte(len(args))}
	for _, a := range args {
		out = binary.BigEndian.AppendUint32(out, uint32(len(a)))
		out = append(out, a...)
	}
	return out
}

// Text is a string argument.
func Text(s string) []byte { return append([]byte("s:"), s...) }

// JSON is a JSON argument with that very text.
func JSON(text string) []byte { return append([]byte("j:"), text...) }

// Encode is a JSON argument that holds v, as Node.js writes it: without
// escapes for <, > and &.
func Encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return JSON(string(b))
}

// Request is the call of a method with one empty object.
func Request(method, id string) []byte {
	return Frame(JSON(`{"type":"call","method":"`+method+`","args":[{}]}`), Text(id))
}

// Answer is the answer to the call with that id; args is a JSON array.
func Answer(args, id string) []byte { return Frame(JSON(`{"args":`+args+`}`), Text(id)) }

// methods are the calls that a client may make, and the ids it makes them with.
var methods = map[string]string{"ping": "pm25:1", "getVersion": "pm25:2", "getMonitorData": "pm25:3"}
