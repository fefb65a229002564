package qod

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// object is a JSON object read leniently: each field by itself, so that one of an unexpected
// type costs that field and not the whole session. A 201 that a strict decoder refuses has
// created a billed session all the same.
type object map[string]json.RawMessage

func decodeObject(body []byte) (object, error) {
	var fields object
	if err := json.Unmarshal(body, &fields); err != nil || fields == nil {
		return nil, errors.New("the answer is not a JSON object")
	}
	return fields, nil
}

func (o object) object(name string) object {
	inner, err := decodeObject(o[name])
	if err != nil {
		return nil
	}
	return inner
}

// text is the string at name. A number is taken as it is written: the authorization endpoints
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

func (o object) first(names ...string) string {
	for _, name := range names {
		if s := o.text(name); s != "" {
			return s
		}
	}
	return ""
}

// number is the whole number at name, also one sent as a string or as 3600.0.
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

func (o object) whole(name string) int64 {
	n, _ := o.number(name)
	return n
}

// instant reads RFC 3339, or seconds since 1970 as version 0.10 of the CAMARA document and
// Telefónica's own have them (milliseconds where the number can be nothing else). What is
// neither counts as absent.
func (o object) instant(name string) time.Time {
	s := strings.TrimSpace(o.text(name))
	if t, err := time.Parse(time.RFC3339, strings.ToUpper(s)); err == nil {
		return presentable(t)
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f <= 0 || f > 1e15 {
		return time.Time{}
	}
	if f > 1e11 {
		f /= 1000
	}
	return presentable(time.Unix(int64(f), 0))
}

// presentable drops what RFC 3339 cannot write again.
func presentable(t time.Time) time.Time {
	if t = t.UTC(); t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}

// salvageID finds the sessionId of a body that was cut off or damaged behind it. The id is the
// only way to release what the network has just sold.
func salvageID(body []byte) string {
	decoder := json.NewDecoder(bytes.NewReader(body))
	if first, err := decoder.Token(); err != nil || first != json.Delim('{') {
		return ""
	}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return ""
		}
		if key == "sessionId" {
			value, err := decoder.Token()
			if id, ok := value.(string); ok && err == nil && validID(id) {
				return id
			}
			return ""
		}
		var skipped json.RawMessage
		if decoder.Decode(&skipped) != nil {
			return ""
		}
	}
	return ""
}
