package sandbox

import (
	"encoding/json"
	"net/http"
	"time"
)

// answer is the answer to an operation, before a fault or the transport changes it.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func jsonAnswer(status int, body any) answer {
	encoded, err := json.Marshal(body)
	if err != nil { // only a test's Echo, Tokens or Discovery can put something unencodable in
		panic("sandbox: answer cannot be encoded: " + err.Error())
	}
	return answer{status, http.Header{"Content-Type": {"application/json"}}, encoded}
}

// longestMessage is how long the message of an error may be in CAMARA's documents.
const longestMessage = 512

// newErrorResponse is an error as the API documents that follow CAMARA define it.
func newErrorResponse(status int, code, message string) answer {
	return jsonAnswer(status, struct {
		Status  int    `json:"status"`
		Code    string `json:"code"`
		Message string `json:"message"`
	}{status, code, message[:min(len(message), longestMessage)]})
}

// with returns the answer with more headers, given as names and values in turn. An empty value
// keeps a header from being sent, even one that every answer has.
func (a answer) with(header ...string) answer {
	changed := a.header.Clone()
	if changed == nil {
		changed = http.Header{}
	}
	for i := 0; i+1 < len(header); i += 2 {
		name, value := http.CanonicalHeaderKey(header[i]), header[i+1]
		changed[name] = nil
		if value != "" {
			changed[name] = []string{value}
		}
	}
	a.header = changed
	return a
}

func timestamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
