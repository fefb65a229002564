// Proves where a reservation stands for every window, time and session, without a network or a
// clock.

package provider

import (
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

func TestWindow_status(t *testing.T) {
	t.Parallel()
	const (
		match    = "2028-02-29T20:15:00Z"
		matchEnd = "2028-03-01T00:15:00Z"
	)
	session := func(status qod.Status) *qod.Session { return &qod.Session{ID: lostID, Status: status} }
	tests := map[string]struct {
		starts, ends string
		now          string
		session      *qod.Session
		want         reservationStatus
	}{
		"days before":                              {match, matchEnd, "2028-02-25T12:00:00Z", nil, "SCHEDULED"},
		"a second before":                          {match, matchEnd, "2028-02-29T20:14:59Z", nil, "SCHEDULED"},
		"a nanosecond before":                      {match, matchEnd, "2028-02-29T20:14:59.999999999Z", nil, "SCHEDULED"},
		"the start belongs to it":                  {match, matchEnd, "2028-02-29T20:15:00Z", nil, "DUE"},
		"in the middle":                            {match, matchEnd, "2028-02-29T22:00:00Z", nil, "DUE"},
		"a second is left":                         {match, matchEnd, "2028-03-01T00:14:59Z", nil, "DUE"},
		"less than a second is left":               {match, matchEnd, "2028-03-01T00:14:59.000000001Z", nil, "ENDED"},
		"the end does not belong to it":            {match, matchEnd, "2028-03-01T00:15:00Z", nil, "ENDED"},
		"a year after":                             {match, matchEnd, "2029-03-01T00:15:00Z", nil, "ENDED"},
		"from now on, early":                       {"", matchEnd, "1970-01-01T00:00:00Z", nil, "DUE"},
		"from now on, too late":                    {"", matchEnd, "2028-03-01T00:15:00Z", nil, "ENDED"},
		"started long ago":                         {"1999-12-31T23:59:59Z", matchEnd, "2028-02-29T22:00:00Z", nil, "DUE"},
		"over a leap day":                          {"2028-02-28T23:00:00Z", "2028-03-01T01:00:00Z", "2028-02-29T12:00:00Z", nil, "DUE"},
		"in another offset, before":                {"2028-02-29T21:15:00+01:00", "2028-03-01T01:15:00+01:00", "2028-02-29T20:14:59Z", nil, "SCHEDULED"},
		"in another offset, open":                  {"2028-02-29T21:15:00+01:00", "2028-03-01T01:15:00+01:00", "2028-02-29T20:15:00Z", nil, "DUE"},
		"half an hour off, over":                   {"2028-02-29T20:00:00+05:30", "2028-02-29T22:00:00+05:30", "2028-02-29T16:30:00Z", nil, "ENDED"},
		"clocks go forward, the hour before":       {"2028-03-26T01:30:00+01:00", "2028-03-26T03:30:00+02:00", "2028-03-26T00:29:59Z", nil, "SCHEDULED"},
		"clocks go forward, it lasts an hour":      {"2028-03-26T01:30:00+01:00", "2028-03-26T03:30:00+02:00", "2028-03-26T01:29:59Z", nil, "DUE"},
		"clocks go forward, over after an hour":    {"2028-03-26T01:30:00+01:00", "2028-03-26T03:30:00+02:00", "2028-03-26T01:30:00Z", nil, "ENDED"},
		"clocks go back, the hour that is twice":   {"2028-10-29T02:30:00+02:00", "2028-10-29T02:30:00+01:00", "2028-10-29T01:00:00Z", nil, "DUE"},
		"shorter than a second, before":            {"2028-02-29T20:15:00Z", "2028-02-29T20:15:00.9Z", "2028-02-29T20:14:00Z", nil, "SCHEDULED"},
		"shorter than a second, at its start":      {"2028-02-29T20:15:00Z", "2028-02-29T20:15:00.9Z", "2028-02-29T20:15:00Z", nil, "ENDED"},
		"it ends before it starts":                 {matchEnd, match, "2028-02-29T22:00:00Z", nil, "ENDED"},
		"not known":                                {"", "", "2028-02-29T22:00:00Z", nil, "DUE"},
		"not known, available":                     {"", "", "2028-02-29T22:00:00Z", session("AVAILABLE"), "AVAILABLE"},
		"not known, unavailable":                   {"", "", "2028-02-29T22:00:00Z", session("UNAVAILABLE"), "UNAVAILABLE"},
		"a session long before it":                 {match, matchEnd, "2028-02-29T20:09:59Z", session("AVAILABLE"), "OVERDUE"},
		"a session five minutes before it":         {match, matchEnd, "2028-02-29T20:10:00Z", session("AVAILABLE"), "AVAILABLE"},
		"a requested one just before it":           {match, matchEnd, "2028-02-29T20:14:59Z", session("REQUESTED"), "REQUESTED"},
		"an unavailable one just before it":        {match, matchEnd, "2028-02-29T20:14:59Z", session("UNAVAILABLE"), "UNAVAILABLE"},
		"an unavailable one long before it":        {match, matchEnd, "2028-02-29T20:09:59Z", session("UNAVAILABLE"), "OVERDUE"},
		"requested":                                {match, matchEnd, "2028-02-29T20:15:00Z", session("REQUESTED"), "REQUESTED"},
		"available":                                {match, matchEnd, "2028-02-29T20:15:00Z", session("AVAILABLE"), "AVAILABLE"},
		"unavailable":                              {match, matchEnd, "2028-02-29T20:15:00Z", session("UNAVAILABLE"), "UNAVAILABLE"},
		"a status that the document does not know": {match, matchEnd, "2028-02-29T20:15:00Z", session("DEGRADED"), "REQUESTED"},
		"no status":                                {match, matchEnd, "2028-02-29T20:15:00Z", session(""), "REQUESTED"},
		"a session with less than a second left":   {match, matchEnd, "2028-03-01T00:14:59.5Z", session("AVAILABLE"), "OVERDUE"},
		"a session after it":                       {match, matchEnd, "2028-03-01T00:15:00Z", session("AVAILABLE"), "OVERDUE"},
		"a requested one after it":                 {match, matchEnd, "2028-03-01T00:15:00Z", session("REQUESTED"), "OVERDUE"},
		"an unavailable one after it":              {match, matchEnd, "2028-03-01T00:15:00Z", session("UNAVAILABLE"), "OVERDUE"},
		// The API has it no more, so it counts as none, although the window is open.
		"a session that is past its end": {match, matchEnd, "2028-02-29T23:00:00Z", nil, "DUE"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := window{mustInstant(t, test.starts), mustInstant(t, test.ends)}
			// The clock of this machine is somewhere else entirely, and the place of the time means
			// nothing.
			for _, place := range []*time.Location{time.UTC, time.FixedZone("", 5*3600+1800)} {
				if got := w.status(mustInstant(t, test.now).In(place), test.session); got != test.want {
					t.Errorf("%s, want %s", got, test.want)
				}
			}
		})
	}
}

func mustInstant(t *testing.T, s string) time.Time {
	t.Helper()
	if s == "" {
		return time.Time{}
	}
	at, err := validators.ParseInstant(s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestWindow_seconds(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		starts, ends string
		want         int64
	}{
		"a match":              {"2028-02-29T20:15:00Z", "2028-03-01T00:15:00Z", 4 * 3600},
		"two offsets":          {"2028-03-26T01:30:00+01:00", "2028-03-26T03:30:00+02:00", 3600},
		"a part of a second":   {"2028-02-29T20:15:00.6Z", "2028-02-29T20:15:02.5Z", 1},
		"less than a second":   {"2028-02-29T20:15:00Z", "2028-02-29T20:15:00.9Z", 0},
		"longer than Duration": {"1000-01-01T00:00:00Z", "9000-01-01T00:00:00Z", 252455616000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := (window{mustInstant(t, test.starts), mustInstant(t, test.ends)}).seconds(); got != test.want {
				t.Errorf("%d, want %d", got, test.want)
			}
		})
	}
}

// A session may go on for a minute after its window without a word: networks count from when they
// grant it.
func TestWindow_exceededBy(t *testing.T) {
	t.Parallel()
	w := window{ends: mustInstant(t, "2028-03-01T00:15:00Z")}
	for expires, want := range map[string]bool{
		"2028-03-01T00:14:00Z": false, "2028-03-01T00:15:00Z": false, "2028-03-01T00:16:00Z": false, "2028-03-01T00:16:01Z": true, "": false,
	} {
		if got := w.outlastedBy(qod.Session{ExpiresAt: mustInstant(t, expires)}); got != want {
			t.Errorf("%q: %t, want %t", expires, got, want)
		}
	}
}

// Whether a session is over by its own message, and where the clocks and the session contradict
// each other, so that nothing can be concluded.
func TestWindow_sessionOver(t *testing.T) {
	t.Parallel()
	const (
		over    = "over"
		lives   = "lives"
		neither = "neither"
		starts  = "2028-02-29T20:15:00Z"
		ends    = "2028-03-01T00:15:00Z"
		noon    = "2028-02-29T12:00:00Z"
		during  = "2028-02-29T21:00:00Z"
		after   = "2028-03-01T06:00:00Z"
	)
	for name, test := range map[string]struct {
		status               qod.Status
		from, to, made       string // of the session
		now, machine, result string
	}{
		"during":                                     {"AVAILABLE", starts, ends, "", during, during, lives},
		"during, and the machine is years off":       {"AVAILABLE", starts, ends, "", during, "2026-11-29T12:00:00Z", lives},
		"its end, and some seconds":                  {"AVAILABLE", starts, ends, "", "2028-03-01T00:15:05Z", "2028-03-01T00:15:05Z", lives},
		"past its end":                               {"AVAILABLE", starts, ends, "", after, after, over},
		"past its end, machine four minutes off":     {"AVAILABLE", starts, ends, "", after, "2028-03-01T06:04:00Z", over},
		"past its end, machine six minutes off":      {"AVAILABLE", starts, ends, "", after, "2028-03-01T06:06:00Z", neither},
		"past its end by the API's clock alone":      {"AVAILABLE", starts, ends, "", after, during, neither},
		"past its end by the machine's clock alone":  {"AVAILABLE", starts, ends, "", during, after, lives},
		"before its start":                           {"AVAILABLE", starts, ends, "", noon, noon, neither},
		"before its start, by some seconds":          {"AVAILABLE", starts, ends, "", "2028-02-29T20:14:55Z", during, lives},
		"in a word that the document does not know":  {"DEGRADED", starts, ends, "", after, after, over},
		"requested, past its end":                    {"REQUESTED", "", ends, "", after, after, lives},
		"unavailable, past its end":                  {"UNAVAILABLE", starts, ends, "", after, after, lives},
		"no times, and both clocks say open":         {"AVAILABLE", "", "", "", during, during, lives},
		"no times, and both clocks say over":         {"AVAILABLE", "", "", "", after, after, lives},
		"no times, over by the API's clock alone":    {"AVAILABLE", "", "", "", after, during, neither},
		"no times, early by the API's clock alone":   {"AVAILABLE", "", "", "", noon, during, neither},
		"no times, over by the machine's alone":      {"AVAILABLE", "", "", "", during, after, lives},
		"no times, the clocks four minutes apart":    {"AVAILABLE", "", "", "", "2028-03-01T00:16:00Z", "2028-03-01T00:12:00Z", lives},
		"no end, over by the API's clock alone":      {"AVAILABLE", starts, "", "", after, during, neither},
		"requested, over by the API's clock alone":   {"REQUESTED", "", "", "", after, during, neither},
		"unavailable, over by the API's clock alone": {"UNAVAILABLE", "", "", "", after, during, lives},
		"made later than the API's clock":            {"AVAILABLE", "", ends, starts, noon, noon, neither},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := func(s string) time.Time { return mustInstant(t, s) }
			session := qod.Session{ID: lostID, Status: test.status, StartedAt: at(test.from), ExpiresAt: at(test.to)}
			got := lives
			switch isOver, err := (window{at(starts), at(ends)}).sessionExpired(session, at(test.made), at(test.now), at(test.machine)); {
			case err != nil:
				got = neither
			case isOver:
				got = over
			}
			if got != test.result {
				t.Errorf("it is %s, want %s", got, test.result)
			}
		})
	}
}

// A session reserved for all of a window may end a little before it: seconds are rounded down. One
// that leaves more than that leaves the rest to another one.
func TestWindow_leaves(t *testing.T) {
	t.Parallel()
	w := window{ends: mustInstant(t, "2028-03-01T00:15:00Z")}
	for name, test := range map[string]struct {
		expires string
		want    bool
	}{
		"the end":         {"2028-03-01T00:15:00Z", false},
		"rounded down":    {"2028-03-01T00:14:58Z", false},
		"later":           {"2028-03-01T01:15:00Z", false},
		"a minute before": {"2028-03-01T00:14:00Z", true},
		"not said":        {"", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := w.outlasts(qod.Session{ExpiresAt: mustInstant(t, test.expires)}); got != test.want {
				t.Errorf("%t, want %t", got, test.want)
			}
		})
	}
}
