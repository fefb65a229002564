package qod

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// object is a JSON object that is read leniently, field by field, so that an unexpected type costs
// that field and not the whole session. An answer that a strict decoder would refuse has created a
// billed session all the same.
type object map[string]json.RawMessage

func decodeObject(body []byte) (object, error) {
	var fields object
	if err := json.Unmarshal(jsonText(body), &fields); err != nil || fields == nil {
		return nil, ErrNotJSON
	}
	return fields, nil
}

// jsonText is a body without what some servers put before the JSON: a byte-order mark, which RFC
// 8259 §8.1 lets a parser ignore, and the line that keeps browsers from running JSON as a script.
func jsonText(body []byte) []byte {
	body = bytes.TrimPrefix(bytes.TrimSpace(body), []byte("\ufeff"))
	if rest, found := bytes.CutPrefix(bytes.TrimSpace(body), []byte(")]}'")); found {
		return bytes.TrimPrefix(rest, []byte(","))
	}
	return body
}

func (o object) object(name string) object {
	inner, err := decodeObject(o[name])
	if err != nil {
		return nil
	}
	return inner
}

// items are the elements of the array at name. It reports false for anything else that is there.
func (o object) items(name string) (items []json.RawMessage, ok bool) {
	if o.absent(name) {
		return nil, true
	}
	err := json.Unmarshal(o[name], &items)
	return items, err == nil
}

// text is the string at name. A number is returned as it is written, since authorization endpoints
// send an integer as `code`.
func (o object) text(name string) string {
	raw := o[name]
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	var n json.Number
	if json.Unmarshal(raw, &n) == nil {
		return n.String()
	}
	return ""
}

func (o object) firstText(names ...string) string {
	for _, name := range names {
		if s := o.text(name); s != "" {
			return s
		}
	}
	return ""
}

// number is the whole number at name, which may be sent as a string or as 3600.0.
func (o object) number(name string) (int64, bool) {
	s := o.text(name)
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, false
	}
	return int64(f), true
}

// absent reports whether there is nothing at name: no value, null or an empty string.
func (o object) absent(name string) bool {
	raw := bytes.TrimSpace(o[name])
	return len(raw) == 0 || string(raw) == "null" || (raw[0] == '"' && strings.TrimSpace(o.text(name)) == "")
}

// raw is the value at name as the API wrote it.
func (o object) raw(name string) string {
	raw := bytes.TrimSpace(o[name])
	if len(raw) > 0 && raw[0] == '"' {
		return o.text(name)
	}
	return string(raw)
}

// wholeNumber is the whole number at name, or zero if absent. It reports false for anything else.
func (o object) wholeNumber(name string) (n int64, ok bool) {
	if o.absent(name) {
		return 0, true
	}
	return o.number(name)
}

// instant is the time at name, or zero if absent. It reports false for a value that is no time, or
// an ambiguous one: an offset that is missing is not guessed.
//
// A zero time counts as absent, since Go, Java and C# write one for a time that was never set.
func (o object) instant(name string) (t time.Time, ok bool) {
	if o.absent(name) {
		return time.Time{}, true
	}
	s := strings.TrimSpace(o.text(name))
	for _, parse := range []func(string) (time.Time, bool){parseTimestamp, parseMailDate, parseEpoch} {
		if t, ok := parse(s); ok {
			return t.UTC(), t.UTC().Year() >= 1 && t.UTC().Year() <= 9999 // RFC 3339 cannot write others
		}
	}
	return time.Time{}, false
}

// timestamp is RFC 3339, and the variations of ISO 8601 and of common libraries: a space for the T,
// no separators, no seconds, a comma before fractions, an offset without colon or minutes or after
// a space, the name of a zone after the offset (RFC 9557).
var timestamp = regexp.MustCompile(`(?i)\A(\d{4})(-?)(\d{2})(-?)(\d{2})(?:T| +)(\d{2}):?(\d{2})(?::?(\d{2})(?:[.,](\d+))?)?` +
	` *(?:(Z|UTC|GMT|[+-]00:?00 (?:UTC|GMT))|([+-])([01]\d|2[0-3])(?::?([0-5]\d))?)(?:\[[A-Z0-9/_+-]+\])?\z`)

func parseTimestamp(s string) (time.Time, bool) {
	if strings.HasSuffix(s, "Z") { // the fast path for nearly all times in lists of thousands
		if t, err := time.Parse(time.RFC3339, s); err == nil {
			return t, true
		}
	}
	m := timestamp.FindStringSubmatch(s)
	if m == nil || m[2] != m[4] {
		return time.Time{}, false
	}
	offset := "Z"
	if m[10] == "" {
		offset = m[11] + m[12] + ":" + cmp.Or(m[13], "00")
	}
	t, err := time.Parse(time.RFC3339, fmt.Sprintf("%s-%s-%sT%s:%s:%s.%s%s",
		m[1], m[3], m[5], m[6], m[7], cmp.Or(m[8], "00"), cmp.Or(m[9], "0"), offset))
	return t, err == nil
}

// mailZone is a name for UTC at the end of a date.
var mailZone = regexp.MustCompile(`(?i) (?:GMT|UTC|UT|Z)\z`)

// parseMailDate parses the dates of RFC 5322 and of HTTP (RFC 9110 §5.6.7; not its obsolete forms,
// one of which has no zone and the other no century). A weekday has to match its date.
func parseMailDate(s string) (time.Time, bool) {
	s = mailZone.ReplaceAllString(s, " +0000")
	if t, err := time.Parse("2 Jan 2006 15:04:05 -0700", s); err == nil {
		return t, true
	}
	t, err := time.Parse("Mon, 2 Jan 2006 15:04:05 -0700", s)
	return t, err == nil && strings.EqualFold(t.Format("Mon"), s[:3])
}

// parseEpoch parses seconds since 1970, as in version 0.10 of the CAMARA document and in
// Telefónica's own, or milliseconds. From 2001 to 2286 seconds have ten digits and milliseconds
// thirteen, so neither can be mistaken for the other, nor for a duration or a date without
// separators.
func parseEpoch(s string) (time.Time, bool) {
	f, err := strconv.ParseFloat(s, 64)
	switch {
	case err != nil:
		return time.Time{}, false
	case f == 0:
		return time.Time{}, true
	case f >= 1e9 && f < 1e10:
		return time.Unix(int64(f), 0), true
	case f >= 1e12 && f < 1e13:
		return time.Unix(int64(f/1000), 0), true
	}
	return time.Time{}, false
}

// sessionIDMember matches each member named sessionId, at any depth, and also within JSON that is
// encoded in a string, whose quotes are escaped.
var sessionIDMember = regexp.MustCompile(`(?:\\*"|\\+u0022)sessionId(?:\\*"|\\+u0022)(?:\s|\\+[nrt])*:(?:\s|\\+[nrt])*` +
	`(?:(?:\\*"|\\+u0022)([^"]*?)(?:\\*"|\\+u0022)|([0-9]+)\s*[,}\]])`)

// salvageID finds the sessionId in a body that is not what the document describes: wrapped in
// another object or in an array, truncated or damaged. Without the id nobody can delete the session
// that has just been created. Two different ids are ambiguous, and count as none.
func salvageID(body []byte) string {
	found := ""
	for _, m := range sessionIDMember.FindAllSubmatch(body, -1) {
		id := string(m[1]) + string(m[2])
		if id == "" {
			continue
		}
		if !validID(id) || (found != "" && found != id) {
			return ""
		}
		found = id
	}
	return found
}
