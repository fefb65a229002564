// Answers are decoded leniently, field by field: a field of an unexpected type costs that field
// alone, and never the id, without which nobody can delete the session that has just been created.
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

const someID = "3fa85f64-5717-4562-b3fc-2c963f66afa6"

// Every spelling that can mean only one instant is understood; an ambiguous one is not guessed.
func TestInstant(t *testing.T) {
	t.Parallel()
	want := time.Date(2026, 11, 22, 12, 30, 45, 0, time.UTC)
	for raw, at := range map[string]time.Time{
		`"2026-11-22T12:30:45Z"`:                      want,
		`"2026-11-22T12:30:45.000Z"`:                  want,
		`"2026-11-22T13:30:45+01:00"`:                 want,
		`"2026-11-22t12:30:45z"`:                      want,
		`" 2026-11-22T12:30:45Z "`:                    want,
		`"2026-11-22 12:30:45Z"`:                      want,
		`"2026-11-22  12:30:45 Z"`:                    want,
		`"2026-11-22T12:30:45+0000"`:                  want,
		`"2026-11-22T12:30:45-0000"`:                  want,
		`"2026-11-22T12:30:45+00"`:                    want,
		`"2026-11-22T14:30:45+02"`:                    want,
		`"2026-11-22T07:00:45-0530"`:                  want,
		`"2026-11-22 12:30:45 +00:00"`:                want,
		`"2026-11-22 12:30:45 UTC"`:                   want,
		`"2026-11-22 12:30:45 gmt"`:                   want,
		`"2026-11-22 12:30:45 +0000 UTC"`:             want,
		`"2026-11-22T13:30:45+01:00[Europe/Madrid]"`:  want,
		`"20261122T123045Z"`:                          want,
		`"2026-11-22T12:30:45,5Z"`:                    want.Add(time.Second / 2),
		`"2026-11-22T12:30:45.123456789Z"`:            want.Add(123456789),
		`"2026-11-22T12:30:45.123456789123456+00:00"`: want.Add(123456789),
		`"2026-11-22T12:30Z"`:                         want.Add(-45 * time.Second),
		`"Sun, 22 Nov 2026 12:30:45 GMT"`:             want,
		`"Sun, 22 Nov 2026 13:30:45 +0100"`:           want,
		`"sun, 22 nov 2026 12:30:45 utc"`:             want,
		`"22 Nov 2026 12:30:45 GMT"`:                  want,
		`1795350645`:                                  want,
		`1795350645.0`:                                want,
		`1795350645.9`:                                want,
		`"1795350645"`:                                want,
		`1.795350645e9`:                               want,
		`1795350645000`:                               want,
		`"1795350645999"`:                             want,

		// Absent.
		`null`:                   {},
		`""`:                     {},
		`"  "`:                   {},
		`0`:                      {},
		`"0"`:                    {},
		`"0001-01-01T00:00:00Z"`: {},
	} {
		if got, ok := (object{"at": json.RawMessage(raw)}).instant("at"); !ok || !got.Equal(at) || got.Location() != time.UTC {
			t.Errorf("%s is %v, %v, want %v", raw, got, ok, at)
		}
	}
	for _, raw := range []string{
		`-1`, `1`, `3600`, `1e300`, `17953506450`, `179535064500`, `1795350645000000`, `20261122123045`, `"20261122"`, `"NaN"`, `"Infinity"`,
		`"soon"`, `"2026-11-22"`, `"2026-11-22T12:30:45"`, `"2026-11-22 12:30"`, `"2026-13-45T12:30:45Z"`, `"2026-11-22T24:30:45Z"`,
		`"2026-11-22T12:30:45+24:00"`, `"2026-11-22T12:30:45+1"`, `"2026-11-22T12:30:45 CET"`, `"2026-11-22T12:30:45+0100 UTC"`, `"2026-1122T12:30:45Z"`,
		`"22.11.2026 12:30"`, `"11/22/2026 12:30:45 UTC"`, `"Mon, 22 Nov 2026 12:30:45 GMT"`, `"Sun, 22 Nov 2026 12:30:45 CET"`,
		`"Sun Nov 22 12:30:45 2026"`, `"Sunday, 22-Nov-26 12:30:45 GMT"`,
		`"0000-01-01T00:00:00Z"`, `"9999-12-31T23:59:59-14:00"`, `"2026-11-22T12:30:45Z; and then on"`, `true`, `{}`, `[1795350645]`,
	} {
		if got, ok := (object{"at": json.RawMessage(raw)}).instant("at"); ok || !got.IsZero() && got.Year() > 0 && got.Year() < 10000 {
			t.Errorf("%s is %v, %v", raw, got, ok)
		}
	}
	if got, ok := (object{}).instant("at"); !ok || !got.IsZero() {
		t.Errorf("what is absent is %v, %v", got, ok)
	}
}

// A value that cannot be read is reported as it was sent, on one short line; an absent one is not.
func TestUnread(t *testing.T) {
	t.Parallel()
	for fields, want := range map[string]string{
		``: "",
		`"startedAt":null,"expiresAt":"","duration":null`:                               "",
		`"startedAt":"2026-11-29T20:15:00Z","expiresAt":1795350645,"duration":"3600.0"`: "",
		`"startedAt":0,"duration":0`:                                                    "",
		`"startedAt":"29.11.2026 20:15"`:                                                `startedAt "29.11.2026 20:15"`,
		`"expiresAt":"2026-11-29T20:15:00"`:                                             `expiresAt "2026-11-29T20:15:00"`,
		`"startedAt":"soon","expiresAt":true,"duration":"an hour"`:                      `startedAt "soon", expiresAt true, duration "an hour"`,
		`"duration":3600.5`:                                                             `duration 3600.5`,
		`"duration":{"seconds": 3600}`:                                                  `duration {"seconds": 3600}`,
		`"startedAt":"call +34 600 100 099"`:                                            `startedAt "call …99"`,
		`"startedAt":"camera-7 is on","device":{"networkAccessIdentifier":"camera-7"}`:  `startedAt "…-7 is on"`,
		`"startedAt":"\u001b[31m` + "\u202e" + `a\nb"`:                                  `startedAt "[31ma b"`,
		`"startedAt":"` + strings.Repeat("ñ", 200) + `"`:                                `startedAt "` + strings.Repeat("ñ", maxUnread) + `…"`,
		`"startedAt":[` + strings.Repeat(`"a",`, 200) + `0]`:                            `startedAt [` + strings.Repeat(`"a",`, 200)[:maxUnread-1] + "…",
		`"startedAt":"a \"quoted\" one"`:                                                `startedAt "a \"quoted\" one"`,
		`"started_at":"soon","device":{"startedAt":"soon"}`:                             "",
	} {
		body := `{"sessionId":"` + someID + `"`
		if fields != "" {
			body += "," + fields
		}
		s, err := openGateway{}.session([]byte(body + "}"))
		if err != nil || s.Unread != want {
			t.Errorf("%s: %v, %s, want %s", fields, err, s.Unread, want)
		}
		if list, err := (openGateway{}).sessions([]byte("[" + body + "}]")); err != nil || len(list) != 1 || list[0].Unread != want {
			t.Errorf("%s in a list: %v, %v", fields, err, list)
		}
	}
}

// A byte-order mark, and the line that keeps browsers from running JSON as a script, are ignored
// everywhere.
func TestWhatStandsInFront(t *testing.T) {
	t.Parallel()
	for _, front := range []string{"\ufeff", " \r\n\ufeff", "\ufeff\r\n ", ")]}'\n", ")]}',\n", "\ufeff)]}'"} {
		session := `{"sessionId":"` + someID + `","qosStatus":"AVAILABLE"}`
		if s, err := (openGateway{}).session([]byte(front + session)); err != nil || s.ID != someID || s.Status != StatusAvailable {
			t.Errorf("%q: %v, %v", front, s, err)
		}
		if list, err := (openGateway{}).sessions([]byte(front + "[" + session + "]")); err != nil || len(list) != 1 || list[0].ID != someID {
			t.Errorf("%q: %v, %v", front, list, err)
		}
		if code, message := (openGateway{}).failure([]byte(front + `{"code":"CONFLICT","message":"busy"}`)); code != "CONFLICT" || message != "busy" {
			t.Errorf("%q: %q, %q", front, code, message)
		}
		if token, ok := normaliseToken([]byte(front + `{"access_token":"abc"}`)); !ok || string(token) != `{"access_token":"abc"}` {
			t.Errorf("%q: %s", front, token)
		}
	}
	for _, body := range []string{"\ufeff", "\ufeff\ufeff{}", ")]}'", "\ufeff<html>", "]}'{}"} {
		if _, err := decodeObject([]byte(body)); err == nil {
			t.Errorf("%q is an object", body)
		}
	}
}

// A list within an object may be one page of it, so it does not count as the list.
func TestListsThatAreNone(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"sessions":[{"sessionId":"` + someID + `"}]}`: "a JSON object and not an array of sessions",
		`{}`:        "a JSON object and not an array of sessions",
		`"[]"`:      "not a JSON array",
		`[`:         "not a JSON array",
		``:          "not a JSON array",
		`<html>[]`:  "not a JSON array",
		"\ufeff{}":  "a JSON object and not an array of sessions",
		`[]{"a":1}`: "not a JSON array",
	} {
		if list, err := (openGateway{}).sessions([]byte(body)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v", body, list, err)
		}
	}
}

func TestStatusOf(t *testing.T) {
	t.Parallel()
	for shown, want := range map[string]Status{
		"AVAILABLE": StatusAvailable, "available": StatusAvailable, " Requested\n": StatusRequested, "unAvailable": StatusUnavailable,
		"expired": "EXPIRED", "": "", " ": "",
	} {
		body, _ := json.Marshal(map[string]string{"sessionId": someID, "qosStatus": shown})
		s, err := openGateway{}.session(body)
		if err != nil || s.Status != want {
			t.Errorf("%q is %q, %v", shown, s.Status, err)
		}
		if s.Status.Known() != (want == StatusAvailable || want == StatusRequested || want == StatusUnavailable) {
			t.Errorf("%q is known: %v", shown, s.Status.Known())
		}
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
	id := `"sessionId":"` + someID + `"`
	for name, test := range map[string]struct {
		body  string
		want  Session
		fails bool
	}{
		"whole": {
			body: `{` + id + `,"device":{"phoneNumber":"+34600000001","networkAccessIdentifier":"a@b","ipv4Address":{"publicAddress":"203.0.113.7","publicPort":8080},` +
				`"ipv6Address":"2001:db8::1"},"qosProfile":"QOS_E","qosStatus":"AVAILABLE","startedAt":"2026-11-22T12:00:00Z","expiresAt":1795348800,"duration":3600}`,
			want: Session{
				ID: someID, QoSProfile: "QOS_E", Status: StatusAvailable, StartedAt: at, ExpiresAt: at, Seconds: 3600,
				Device: Device{
					PhoneNumber: "+34600000001", NetworkAccessIdentifier: "a@b", IPv6Address: "2001:db8::1",
					IPv4Address: &IPv4Address{PublicAddress: "203.0.113.7", PublicPort: &port},
				},
			},
		},
		"the id alone":  {body: `{` + id + `}`, want: Session{ID: someID}},
		"all else null": {body: `{` + id + `,"device":null,"qosProfile":null,"qosStatus":null,"startedAt":null,"expiresAt":null,"duration":null}`, want: Session{ID: someID}},
		"all else of other types": {
			body: `{` + id + `,"device":[],"qosProfile":{},"qosStatus":[],"startedAt":{},"expiresAt":true,"duration":"long"}`,
			want: Session{ID: someID, Unread: `startedAt {}, expiresAt true, duration "long"`},
		},
		"an unknown status": {body: `{` + id + `,"qosStatus":"PENDING"}`, want: Session{ID: someID, Status: "PENDING"}},
		"a port as text":    {body: `{` + id + `,"device":{"ipv4Address":{"publicAddress":"203.0.113.7","publicPort":"8080"}}}`, want: Session{ID: someID, Device: Device{IPv4Address: &IPv4Address{PublicAddress: "203.0.113.7", PublicPort: &port}}}},
		"a port alone":      {body: `{` + id + `,"device":{"ipv4Address":{"publicPort":8080}}}`, want: Session{ID: someID}},
		"parts of a device of other types": {
			body: `{` + id + `,"device":{"phoneNumber":null,"networkAccessIdentifier":["a"],"ipv4Address":"203.0.113.7","ipv6Address":{"a":1}}}`, want: Session{ID: someID},
		},
		"a phone without its plus":     {body: `{` + id + `,"device":{"phoneNumber":"34600000001"}}`, want: Session{ID: someID, Device: Device{PhoneNumber: "+34600000001"}}},
		"a phone that is a number":     {body: `{` + id + `,"device":{"phoneNumber":34600000001}}`, want: Session{ID: someID, Device: Device{PhoneNumber: "+34600000001"}}},
		"a phone with 00 for its plus": {body: `{` + id + `,"device":{"phoneNumber":"0034600000001"}}`, want: Session{ID: someID, Device: Device{PhoneNumber: "+34600000001"}}},
		"a phone in groups":            {body: `{` + id + `,"device":{"phoneNumber":"tel:+34 600-000-001"}}`, want: Session{ID: someID, Device: Device{PhoneNumber: "+34600000001"}}},
		"a phone that is masked":       {body: `{` + id + `,"device":{"phoneNumber":"34600****01"}}`, want: Session{ID: someID, Device: Device{PhoneNumber: "34600****01"}}},

		"unknown fields":  {body: `{"links":{"sessionId":"x"},` + id + `,"x":[{"sessionId":"y"}]}`, want: Session{ID: someID}},
		"blanks around":   {body: " \r\n\t{" + id + "}\n", want: Session{ID: someID}},
		"a short id":      {body: `{"sessionId":"7"}`, want: Session{ID: "7"}},
		"an id of digits": {body: `{"sessionId":7}`, want: Session{ID: "7"}},

		// In damaged or wrapped JSON the id is found wherever it is, as long as there is only one.
		"cut behind the id":     {body: `{` + id, want: Session{ID: someID}, fails: true},
		"cut within a value":    {body: `{"a":{"b":[1,2]},` + id + `,"device":{"phoneNu`, want: Session{ID: someID}, fails: true},
		"something behind":      {body: `{` + id + `}}`, want: Session{ID: someID}, fails: true},
		"a nested id, cut":      {body: `{"a":{` + id + `},"b":`, want: Session{ID: someID}, fails: true},
		"damaged before the id": {body: `{"a":!,` + id + `}`, want: Session{ID: someID}, fails: true},
		"an array around it":    {body: `[{` + id + `}]`, want: Session{ID: someID}, fails: true},
		"an object around it":   {body: `{"data":{` + id + `,"qosStatus":"AVAILABLE"}}`, want: Session{ID: someID}, fails: true},
		"several around it":     {body: `{"result":[{"session":{` + id + `}}]}`, want: Session{ID: someID}, fails: true},
		"a text around it":      {body: `"{\"sessionId\": \"` + someID + `\"}"`, want: Session{ID: someID}, fails: true},
		"two texts around it":   {body: `"{\"body\":\"{\\\"sessionId\\\":\\\"` + someID + `\\\",\\\"a\\\":1}\"}"`, want: Session{ID: someID}, fails: true},
		"a text with encoded quotes": {
			body: `"{\u0022sessionId\u0022:\n\u0022` + someID + `\u0022,\u0022a\u0022:1}"`, want: Session{ID: someID}, fails: true,
		},
		"a lined text around it": {body: `{"body":"{\n  \"sessionId\" :\r\n  \"` + someID + `\"\n}"}`, want: Session{ID: someID}, fails: true},
		"a mark and an array":    {body: "\ufeff[{" + id + `}]`, want: Session{ID: someID}, fails: true},
		"a wrapped number":       {body: `{"data":{"sessionId":7}}`, want: Session{ID: "7"}, fails: true},
		"one id twice":           {body: `[{` + id + `},{` + id + `}]`, want: Session{ID: someID}, fails: true},
		"null and one wrapped":   {body: `{"sessionId":null,"data":{` + id + `}}`, want: Session{ID: someID}, fails: true},
		"empty and one wrapped":  {body: `{"sessionId":"","data":{` + id + `}}`, want: Session{ID: someID}, fails: true},

		"two ids":                  {body: `[{` + id + `},{"sessionId":"x"}]`, fails: true},
		"two objects":              {body: `{` + id + `}{"sessionId":"x"}`, fails: true},
		"two ids in a text":        {body: `"{\"sessionId\":\"x\",\"old\":{\"sessionId\":\"y\"}}"`, fails: true},
		"an unusable one and one":  {body: `{"sessionId":"../../admin","data":{` + id + `}}`, fails: true},
		"cut within the id":        {body: `{"sessionId":"3fa85f64-57`, fails: true},
		"cut within a number":      {body: `{"sessionId":73`, fails: true},
		"an id of another name":    {body: `{"data":{"httpsessionId":"x","sessionIds":"y","SessionID":"z"}}`, fails: true},
		"a text about it":          {body: `{"message":"sessionId: x"}`, fails: true},
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
			if !reflect.DeepEqual(jsonOf(got), jsonOf(test.want)) {
				t.Errorf("got %v, want %v", jsonOf(got), jsonOf(test.want))
			}
		})
	}
}

// jsonOf is a session without its methods, which mask it.
func jsonOf(s Session) any {
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
	return []any{s.ID, d, s.QoSProfile, string(s.Status), s.StartedAt.String(), s.ExpiresAt.String(), s.Seconds, s.Unread}
}

func TestLocatedID(t *testing.T) {
	t.Parallel()
	c := &Client{dialect: openGateway{}, config: Config{APIPath: openGateway{}.path()}}
	for location, want := range map[string]string{
		"/v1/qod/sessions/" + someID:                        someID,
		"https://gateway.example/v1/qod/sessions/" + someID: someID,
		"https://gateway.example/qod/sessions/x?verbose=1#": "x",
		"":                         "",
		"/v1/sessions/" + someID:   "",
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
		someID:                     "",
		"/v1/qod/sessions/ä":       "",
		"/v1/qod/sessions/a b":     "",
		"/v1/qod/sessions/..%2f..": "",
	} {
		if got := c.idFromLocation(location); got != want {
			t.Errorf("%q names %q, want %q", location, got, want)
		}
	}
}

// A body with a single sessionId yields it, whatever comes before it (as long as that is JSON),
// after it and around it.
func FuzzSession(f *testing.F) {
	for _, behind := range []string{
		`}`, ``, `,"startedAt":1639479600}`, `,"device":{"phoneNumber":"+34600000001"},"duration":3600,"expiresAt":null}`, `,"device":{"pho`, `}}`, "}\xff", `,"a":`,
		`,"startedAt":"9999-99-99T99:99:99Z","duration":1e999}`, `,"device":{"ipv4Address":{"publicAddress":"1.2.3.4","publicPort":-1}}}`, ` <html>`,
	} {
		f.Add(``, someID, behind)
		f.Add(`"qosStatus":"AVAILABLE","x":[{"sessionId":"y"}]`, "a~b.c_d-1", behind)
	}
	f.Add(`"a":`, someID, `}`)
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
		again := strings.Contains(before+behind, "sessionId") || strings.Contains(before+behind, `\`) // it may say another one
		if validID(id) && s.ID != id && !again && startsAnew(behind) {
			t.Errorf("%s yields %q: %v", body, s.ID, decodeErr)
		}
		if decodeErr == nil {
			wantReadOrReported(t, body, s)
		}
		for _, around := range [][2]string{{`{"data":`, `}`}, {`[`, `]`}, {`[[`, `]`}, {"\ufeff", ""}, {`x`, ``}, {quote(body) + `,"x":`, ``}} {
			wrapped, _ := openGateway{}.session([]byte(around[0] + body + around[1]))
			if validID(id) && wrapped.ID != id && !again && startsAnew(behind) {
				t.Errorf("%s yields %q", around[0]+body+around[1], wrapped.ID)
			}
		}
		// The same bytes may also be an entry of a list, an error body, or anything else.
		if list, err := (openGateway{}).sessions([]byte(`[` + body + `]`)); err == nil && validID(id) && !again && (len(list) == 0 || list[0].ID != id) {
			t.Errorf("as a list: %v", list)
		}
		for _, raw := range []string{body, before, behind} {
			_, _ = openGateway{}.session([]byte(raw))
			_, _ = openGateway{}.sessions([]byte(raw))
			_, _ = openGateway{}.failure([]byte(raw))
			_ = (&Client{dialect: openGateway{}}).idFromLocation(raw)
		}
	})
}

func quote(s string) string { b, _ := json.Marshal(s); return string(b) }

// wantReadOrReported fails if a value was neither read nor reported, or if it was both.
func wantReadOrReported(t *testing.T, body string, s Session) {
	t.Helper()
	fields, _ := decodeObject([]byte(body))
	for name, none := range map[string]bool{"startedAt": s.StartedAt.IsZero(), "expiresAt": s.ExpiresAt.IsZero(), "duration": s.Seconds == 0} {
		told := strings.Contains(s.Unread, name+" ")
		n, isNumber := fields.number(name)
		said := !fields.absent(name) && !(isNumber && n == 0) && !strings.HasPrefix(fields.text(name), "0001-01-0")
		if none && said && !told {
			t.Errorf("%s: %s is lost without a word", body, name)
		}
		if told && !none {
			t.Errorf("%s: %s is told of, and read", body, name)
		}
	}
}

// startsAnew reports whether a string is a value in front of this text: a colon would make it a
// key.
func startsAnew(behind string) bool {
	return !strings.HasPrefix(strings.TrimLeft(behind, " \t\r\n"), ":")
}

// Whatever a token endpoint sends becomes a response with the types of RFC 6749, or is refused; and
// its lifetime is one that a duration can hold.
func FuzzToken(f *testing.F) {
	for _, body := range []string{
		`{"access_token":"abc","token_type":"bearer","expires_in":3600}`, `{"access_token":"abc","expires_in":"3600.5"}`, `{"access_token":7}`,
		`{"error":"invalid_client","error_description":"no"}`, `{"code":1012,"message":"no"}`, `{"expires_in":1e999}`, `{"expires_in":-1}`,
		`{"expires_in":"NaN"}`, `{"expires_in":"Inf"}`, `{"expires_in":"0x1p4"}`, `null`, `[]`, `{}`, ``, `access_token=abc&expires_in=3600`, `{"access_token":"a\nb"}`, "\ufeff{\"access_token\":\"abc\"}",
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		normal, ok := normaliseToken(body)
		var sent map[string]json.RawMessage
		if valid := json.Unmarshal(jsonText(body), &sent) == nil && sent != nil; valid != ok {
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
		if isHeaderSafe(token.AccessToken) && strings.ContainsAny(token.AccessToken, "\r\n\x00 ") {
			t.Errorf("%q is called safe", token.AccessToken)
		}
		_, _ = url.ParseQuery(string(normal))
	})
}

// BenchmarkList decodes a list. It is measured without a client, which would space its lists.
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
