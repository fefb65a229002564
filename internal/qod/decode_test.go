// What comes in is read leniently, field by field: one of another type costs that field alone, and
// never the id, which is the only way to release what the network has just sold.
package qod

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"
)

const anID = "3fa85f64-5717-4562-b3fc-2c963f66afa6"

func TestInstant(t *testing.T) {
	t.Parallel()
	want := time.Date(2026, 11, 22, 12, 30, 45, 0, time.UTC)
	for raw, at := range map[string]time.Time{
		`"2026-11-22T12:30:45Z"`:              want,
		`"2026-11-22T12:30:45.000Z"`:          want,
		`"2026-11-22T13:30:45+01:00"`:         want,
		`"2026-11-22t12:30:45z"`:              want,
		`" 2026-11-22T12:30:45Z "`:            want,
		`1795350645`:                          want,
		`1795350645.0`:                        want,
		`1795350645.9`:                        want,
		`"1795350645"`:                        want,
		`1.795350645e9`:                       want,
		`1795350645000`:                       want,
		`"2026-11-22T12:30:45.123456789Z"`:    want.Add(123456789),
		`null`:                                {},
		`""`:                                  {},
		`0`:                                   {},
		`-1`:                                  {},
		`1e300`:                               {},
		`"soon"`:                              {},
		`"2026-11-22"`:                        {},
		`"2026-11-22T12:30:45"`:               {},
		`"2026-13-45T12:30:45Z"`:              {},
		`"0000-01-01T00:00:00Z"`:              {},
		`"9999-12-31T23:59:59-14:00"`:         {},
		`true`:                                {},
		`{}`:                                  {},
		`[1795350645]`:                        {},
		`"NaN"`:                               {},
		`"Infinity"`:                          {},
		`"2026-11-22T12:30:45Z; and then on"`: {},
	} {
		if got := (object{"at": json.RawMessage(raw)}).instant("at"); !got.Equal(at) || got.Location() != time.UTC {
			t.Errorf("%s is %v, want %v", raw, got, at)
		}
	}
	if got := (object{}).instant("at"); !got.IsZero() {
		t.Errorf("what is absent is %v", got)
	}
}

func TestNumber(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]int64{
		`3600`: 3600, `3600.0`: 3600, `"3600"`: 3600, `"3600.0"`: 3600, `3.6e3`: 3600, `-1`: -1, `0`: 0,
		`9223372036854775807`: math.MaxInt64,
	} {
		if got, ok := (object{"n": json.RawMessage(raw)}).number("n"); !ok || got != want {
			t.Errorf("%s is %d, %v", raw, got, ok)
		}
	}
	for _, raw := range []string{`3600.5`, `"an hour"`, `null`, `true`, `{}`, `[1]`, `""`, `1e300`, `"NaN"`, `9223372036854775808`} {
		if got, ok := (object{"n": json.RawMessage(raw)}).number("n"); ok {
			t.Errorf("%s is %d", raw, got)
		}
	}
}

func TestSessionOf(t *testing.T) {
	t.Parallel()
	port := int64(8080)
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	id := `"sessionId":"` + anID + `"`
	for name, test := range map[string]struct {
		body  string
		want  Session
		fails bool
	}{
		"whole": {
			body: `{` + id + `,"device":{"phoneNumber":"+34600000001","networkAccessIdentifier":"a@b","ipv4Address":{"publicAddress":"203.0.113.7","publicPort":8080},` +
				`"ipv6Address":"2001:db8::1"},"qosProfile":"QOS_E","qosStatus":"AVAILABLE","startedAt":"2026-11-22T12:00:00Z","expiresAt":1795348800,"duration":3600}`,
			want: Session{
				ID: anID, QoSProfile: "QOS_E", Status: StatusAvailable, StartedAt: at, ExpiresAt: at, Seconds: 3600,
				Device: Device{
					PhoneNumber: "+34600000001", NetworkAccessIdentifier: "a@b", IPv6Address: "2001:db8::1",
					IPv4Address: &IPv4Address{PublicAddress: "203.0.113.7", PublicPort: &port},
				},
			},
		},
		"the id alone":            {body: `{` + id + `}`, want: Session{ID: anID}},
		"all else null":           {body: `{` + id + `,"device":null,"qosProfile":null,"qosStatus":null,"startedAt":null,"expiresAt":null,"duration":null}`, want: Session{ID: anID}},
		"all else of other types": {body: `{` + id + `,"device":[],"qosProfile":{},"qosStatus":[],"startedAt":{},"expiresAt":true,"duration":"long"}`, want: Session{ID: anID}},
		"an unknown status":       {body: `{` + id + `,"qosStatus":"PENDING"}`, want: Session{ID: anID, Status: "PENDING"}},
		"a port as text":          {body: `{` + id + `,"device":{"ipv4Address":{"publicAddress":"203.0.113.7","publicPort":"8080"}}}`, want: Session{ID: anID, Device: Device{IPv4Address: &IPv4Address{PublicAddress: "203.0.113.7", PublicPort: &port}}}},
		"a port alone":            {body: `{` + id + `,"device":{"ipv4Address":{"publicPort":8080}}}`, want: Session{ID: anID}},
		"parts of a device of other types": {
			body: `{` + id + `,"device":{"phoneNumber":null,"networkAccessIdentifier":["a"],"ipv4Address":"203.0.113.7","ipv6Address":{"a":1}}}`, want: Session{ID: anID},
		},
		"a phone without its plus":       {body: `{` + id + `,"device":{"phoneNumber":"34600000001"}}`, want: Session{ID: anID, Device: Device{PhoneNumber: "+34600000001"}}},
		"a phone that is a number":       {body: `{` + id + `,"device":{"phoneNumber":34600000001}}`, want: Session{ID: anID, Device: Device{PhoneNumber: "+34600000001"}}},
		"a phone that is something else": {body: `{` + id + `,"device":{"phoneNumber":"0034600000001"}}`, want: Session{ID: anID, Device: Device{PhoneNumber: "0034600000001"}}},

		"unknown fields":  {body: `{"links":{"sessionId":"x"},` + id + `,"x":[{"sessionId":"y"}]}`, want: Session{ID: anID}},
		"blanks around":   {body: " \r\n\t{" + id + "}\n", want: Session{ID: anID}},
		"a short id":      {body: `{"sessionId":"7"}`, want: Session{ID: "7"}},
		"an id of digits": {body: `{"sessionId":7}`, want: Session{ID: "7"}},

		// Damaged, with the id in front of the damage.
		"cut behind the id":        {body: `{` + id, want: Session{ID: anID}, fails: true},
		"cut within a value":       {body: `{"a":{"b":[1,2]},` + id + `,"device":{"phoneNu`, want: Session{ID: anID}, fails: true},
		"something behind":         {body: `{` + id + `}}`, want: Session{ID: anID}, fails: true},
		"two objects":              {body: `{` + id + `}{"sessionId":"x"}`, want: Session{ID: anID}, fails: true},
		"cut within the id":        {body: `{"sessionId":"3fa85f64-57`, fails: true},
		"only a nested id":         {body: `{"a":{` + id + `},"b":`, fails: true},
		"an array around it":       {body: `[{` + id + `}]`, fails: true},
		"damaged before the id":    {body: `{"a":!,` + id + `}`, fails: true},
		"an id of another type":    {body: `{"sessionId":{}}`, fails: true},
		"an id that leaves":        {body: `{"sessionId":"../../admin"}`, fails: true},
		"an id that is too long":   {body: `{"sessionId":"` + strings.Repeat("a", 129) + `"}`, fails: true},
		"a damaged id that leaves": {body: `{"sessionId":"../../admin"`, fails: true},
		"null":                     {body: `null`, fails: true},
		"empty":                    {body: ``, fails: true},
		"a page":                   {body: `<html></html>`, fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := openGateway{}.session([]byte(test.body))
			if (err != nil) != test.fails {
				t.Errorf("error: %v", err)
			}
			if !reflect.DeepEqual(plainly(got), plainly(test.want)) {
				t.Errorf("got %v, want %v", plainly(got), plainly(test.want))
			}
		})
	}
}

// plainly is a session without its methods, which mask it.
func plainly(s Session) any {
	type device struct {
		Phone, NAI, V4, V6 string
		Port               int64
	}
	d := device{Phone: s.Device.PhoneNumber, NAI: s.Device.NetworkAccessIdentifier, V6: s.Device.IPv6Address, Port: -1}
	if v4 := s.Device.IPv4Address; v4 != nil {
		if d.V4 = v4.PublicAddress; v4.PublicPort != nil {
			d.Port = *v4.PublicPort
		}
	}
	return []any{s.ID, d, s.QoSProfile, string(s.Status), s.StartedAt.String(), s.ExpiresAt.String(), s.Seconds}
}

func TestLocatedID(t *testing.T) {
	t.Parallel()
	for location, want := range map[string]string{
		"/v1/qod/sessions/" + anID:                          anID,
		"https://gateway.example/v1/qod/sessions/" + anID:   anID,
		"https://gateway.example/qod/sessions/x?verbose=1#": "x",
		"":                         "",
		"/v1/qod/sessions":         "",
		"/v1/qod/sessions/":        "",
		"/v1/qod/sessions/..":      "",
		"/v1/qod/sessions/a/b":     "",
		"/login":                   "",
		"https://login.example/x":  "",
		"https://login.example":    "",
		"/v1/qod/sessions/%2e%2e":  "",
		"/v1/qod/sessions/a%2fb":   "",
		"://":                      "",
		anID:                       "",
		"/v1/qod/sessions/ä":       "",
		"/v1/qod/sessions/a b":     "",
		"/v1/qod/sessions/..%2f..": "",
	} {
		if got := (openGateway{}).locatedID(location); got != want {
			t.Errorf("%q names %q, want %q", location, got, want)
		}
	}
}

// Any body that holds a parsable sessionId yields it, whatever is in front of it (as long as that
// is JSON) and behind it.
func FuzzSession(f *testing.F) {
	for _, behind := range []string{
		`}`, ``, `,"startedAt":1639479600}`, `,"device":{"phoneNumber":"+34600000001"},"duration":3600,"expiresAt":null}`, `,"device":{"pho`, `}}`, "}\xff", `,"a":`,
		`,"startedAt":"9999-99-99T99:99:99Z","duration":1e999}`, `,"device":{"ipv4Address":{"publicAddress":"1.2.3.4","publicPort":-1}}}`, ` <html>`,
	} {
		f.Add(``, anID, behind)
		f.Add(`"qosStatus":"AVAILABLE","x":[{"sessionId":"y"}]`, "a~b.c_d-1", behind)
	}
	f.Add(`"a":`, anID, `}`)
	f.Add(``, `../../admin`, `}`)
	f.Fuzz(func(t *testing.T, before, id, behind string) {
		body := `{`
		if before != "" {
			var fields map[string]json.RawMessage
			if json.Unmarshal([]byte(`{`+before+`}`), &fields) != nil || len(fields) == 0 || fields["sessionId"] != nil {
				before = ""
			} else {
				body += before + `,`
			}
		}
		quoted, err := json.Marshal(id)
		if err != nil {
			t.Fatal(err)
		}
		body += `"sessionId":` + string(quoted) + behind
		s, decodeErr := openGateway{}.session([]byte(body))
		if s.ID != "" && !validID(s.ID) {
			t.Errorf("%s yields the id %q", body, s.ID)
		}
		again := strings.Contains(behind, "sessionId") || strings.Contains(behind, `\`) // it may say another one
		if validID(id) && s.ID != id && !again && startsAnew(behind) {
			t.Errorf("%s yields %q: %v", body, s.ID, decodeErr)
		}
		if s.Seconds != 0 && decodeErr == nil {
			_ = fmt.Sprint(s)
		}
		// The same bytes are also a list's entry, a failure and, by themselves, anything.
		if list, err := (openGateway{}).sessions([]byte(`[` + body + `]`)); err == nil && validID(id) && !again && (len(list) == 0 || list[0].ID != id) {
			t.Errorf("as a list: %v", list)
		}
		for _, raw := range []string{body, before, behind} {
			_, _ = openGateway{}.session([]byte(raw))
			_, _ = openGateway{}.sessions([]byte(raw))
			_, _ = openGateway{}.failure([]byte(raw))
			_ = (openGateway{}).locatedID(raw)
		}
	})
}

// startsAnew reports whether what follows a string leaves it one: a colon would make it a key.
func startsAnew(behind string) bool {
	return !strings.HasPrefix(strings.TrimLeft(behind, " \t\r\n"), ":")
}

// Whatever a token endpoint sends: what becomes of it has the types of RFC 6749 or is refused, and
// the lifetime is one that a duration can hold.
func FuzzToken(f *testing.F) {
	for _, body := range []string{
		`{"access_token":"abc","token_type":"bearer","expires_in":3600}`, `{"access_token":"abc","expires_in":"3600.5"}`, `{"access_token":7}`,
		`{"error":"invalid_client","error_description":"no"}`, `{"code":1012,"message":"no"}`, `{"expires_in":1e999}`, `{"expires_in":-1}`,
		`{"expires_in":"NaN"}`, `{"expires_in":"Inf"}`, `{"expires_in":"0x1p4"}`, `null`, `[]`, `{}`, ``, `access_token=abc&expires_in=3600`, `{"access_token":"a\nb"}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		normal, ok := normaliseToken(body)
		var sent map[string]json.RawMessage
		if valid := json.Unmarshal(body, &sent) == nil && sent != nil; valid != ok {
			t.Fatalf("an object: %v, taken: %v", valid, ok)
		}
		if !ok {
			return
		}
		var token struct {
			AccessToken      string `json:"access_token"`
			TokenType        string `json:"token_type"`
			ExpiresIn        *int64 `json:"expires_in"`
			Error            string `json:"error"`
			ErrorDescription string `json:"error_description"`
		}
		if err := json.Unmarshal(normal, &token); err != nil {
			t.Fatalf("%s becomes %s: %v", body, normal, err)
		}
		if e := token.ExpiresIn; e != nil && (*e < 0 || *e > int64(maxLifetime/time.Second)) {
			t.Errorf("%s expires in %d", body, *e)
		}
		var text string
		if json.Unmarshal(sent["access_token"], &text) == nil && text != token.AccessToken {
			t.Errorf("%s becomes the token %q", body, token.AccessToken)
		}
		if headerSafe(token.AccessToken) && strings.ContainsAny(token.AccessToken, "\r\n\x00 ") {
			t.Errorf("%q is called safe", token.AccessToken)
		}
		_, _ = url.ParseQuery(string(normal))
	})
}

// BenchmarkList is a list from its bytes to its sessions. A client spaces its lists out, so it is
// measured without one.
func BenchmarkList(b *testing.B) {
	for _, n := range []int{1, 1000, 10_000} {
		infos := make([]string, 0, n)
		for i := range n {
			infos = append(infos, fmt.Sprintf(`{"sessionId":"3fa85f64-5717-4562-b3fc-2c963f%06d","device":{"phoneNumber":"+346%08d"},"qosProfile":"QOS_L",`+
				`"qosStatus":"AVAILABLE","duration":3600,"startedAt":"2028-02-29T20:15:00Z","expiresAt":"2028-02-29T21:15:00Z"}`, i, i))
		}
		body := []byte("[" + strings.Join(infos, ",") + "]")
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if found, err := (openGateway{}).sessions(body); err != nil || len(found) != n {
					b.Fatalf("%d sessions, %v", len(found), err)
				}
			}
		})
	}
}
