package sandbox

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// transports are the two ways to reach a sandbox. A fault must look the same on both.
var transports = map[string]func(*testing.T, Config) *harness{
	"memory": newHarness,
	"socket": func(t *testing.T, c Config) *harness {
		h, _ := newServerHarness(t, c)
		// A fault may end its connection, so each request has its own.
		h.to = &http.Transport{DisableKeepAlives: true}
		return h
	},
}

func TestEffects(t *testing.T) {
	t.Parallel()
	type outcome struct {
		status int
		body   string // what it contains
		header [2]string
		err    error
		live   int // sessions on the network afterwards
	}
	tests := map[string]struct {
		effect Effect
		want   outcome
	}{
		"Status":                 {Status(503, `{"a":1}`, "Retry-After", "7"), outcome{503, `{"a":1}`, [2]string{"Retry-After", "7"}, nil, 0}},
		"Status is JSON":         {Status(500, `{}`), outcome{500, `{}`, [2]string{"Content-Type", "application/json"}, nil, 0}},
		"Status of another type": {Status(502, `<html>`, "Content-Type", "text/html"), outcome{502, `<html>`, [2]string{"Content-Type", "text/html"}, nil, 0}},
		"Status without body":    {Status(204, ``), outcome{204, ``, [2]string{"Content-Length", ""}, nil, 0}},
		"StatusAfterCommit":      {StatusAfterCommit(504, ``, "Retry-After", "7"), outcome{504, ``, [2]string{"Retry-After", "7"}, nil, 1}},
		"Answer":                 {Answer(201, "text/html", "<html>"), outcome{201, "<html>", [2]string{"Content-Type", "text/html"}, nil, 1}},
		"Redirect":               {Redirect(307, "http://evil.example/"), outcome{307, "", [2]string{"Location", "http://evil.example/"}, nil, 0}},
		"Header":                 {Header("date", "", "Retry-After", "7"), outcome{201, "sessionId", [2]string{"Date", ""}, nil, 1}},
		"DropBeforeCommit":       {DropBeforeCommit(), outcome{err: io.EOF}},
		"DropAfterCommit":        {DropAfterCommit(), outcome{err: io.EOF, live: 1}},
		"Reset":                  {Reset(), outcome{err: syscall.ECONNRESET}},
		"Delay":                  {Delay(time.Nanosecond), outcome{status: 201, body: "sessionId", live: 1}},
		"Truncate":               {Truncate(20), outcome{201, `{"sessionId":"`, [2]string{}, io.ErrUnexpectedEOF, 1}},
		"Truncate to nothing":    {Truncate(0), outcome{201, "", [2]string{}, io.ErrUnexpectedEOF, 1}},
		"Truncate nothing":       {Truncate(1000), outcome{status: 201, body: "sessionId", live: 1}},
		"Duplicate":              {Duplicate(), outcome{status: 409, body: "CONFLICT", live: 1}},
		"Endless":                {Endless(), outcome{status: 201, body: strings.Repeat(" ", 2<<20), live: 1}},
		"GzipBomb":               {GzipBomb(), outcome{status: 201, body: strings.Repeat(" ", 2<<20), live: 1}},
	}
	for name, test := range tests {
		for transport, start := range transports {
			t.Run(name+" in "+transport, func(t *testing.T) {
				t.Parallel()
				h := start(t, Config{})
				h.Fail(Fault{Operation: OpCreate, Effect: test.effect})
				got, err := h.do(t.Context(), http.MethodPost, pathSessions, createBody("+34600000001"))
				if !errors.Is(err, test.want.err) {
					t.Errorf("error %v, want %v", err, test.want.err)
				}
				if got.status != test.want.status || !strings.Contains(got.body, test.want.body) {
					t.Errorf("got %d %.200q, want %d %.200q", got.status, got.body, test.want.status, test.want.body)
				}
				if name := test.want.header[0]; name != "" && got.header.Get(name) != test.want.header[1] {
					t.Errorf("%s: %q, want %q", name, got.header.Get(name), test.want.header[1])
				}
				if live := len(h.Ledger()); live != test.want.live {
					t.Errorf("%d sessions are live, want %d", live, test.want.live)
				}
				if h.send(http.MethodPost, pathSessions, createBody("+34600000002")).status != http.StatusCreated {
					t.Error("one fault must affect one request")
				}
			})
		}
	}
}

func TestHeadThenHang(t *testing.T) {
	t.Parallel()
	for transport, start := range transports {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			h := start(t, Config{})
			h.Seed(Session{})
			whole := h.send(http.MethodGet, pathSessions, "").body
			h.Fail(Fault{Operation: OpList, Effect: HeadThenHang()})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			request, _ := http.NewRequestWithContext(ctx, http.MethodGet, h.base+pathSessions, nil)
			request.Header.Set("Authorization", "Bearer "+h.token)
			response, err := h.to.RoundTrip(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			if response.ContentLength != int64(len(whole)) {
				t.Errorf("declares %d bytes, want %d", response.ContentLength, len(whole))
			}
			half := make([]byte, len(whole)/2)
			if _, err := io.ReadFull(response.Body, half); err != nil || string(half) != whole[:len(half)] {
				t.Errorf("half of the body: %q, %v", half, err)
			}
			cancel()
			if rest, err := io.ReadAll(response.Body); len(rest) != 0 || !errors.Is(err, context.Canceled) {
				t.Errorf("after giving up: %q, %v", rest, err)
			}
		})
	}
}

func TestFaultsThatTakeTime(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		effect Effect
		err    error
		took   time.Duration
		live   int // when the client has its answer or an error
		late   int // an hour later
	}{
		"Delay":                 {Delay(3 * time.Second), nil, 3 * time.Second, 1, 1},
		"Delay beyond patience": {Delay(time.Minute), context.DeadlineExceeded, 10 * time.Second, 1, 1},
		"HangBeforeCommit":      {HangBeforeCommit(), context.DeadlineExceeded, 10 * time.Second, 0, 0},
		"HangAfterCommit":       {HangAfterCommit(), context.DeadlineExceeded, 10 * time.Second, 1, 1},
		"CommitLate":            {CommitLate(time.Minute), context.DeadlineExceeded, 10 * time.Second, 0, 1},
		"HeadThenHang":          {HeadThenHang(), context.DeadlineExceeded, 10 * time.Second, 1, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ended := make(chan Request, 1)
				h := newHarness(t, Config{Clock: realClock{}, Log: func(r Request) { ended <- r }})
				h.Fail(Fault{Effect: test.effect})
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				start := time.Now()
				_, err := h.do(ctx, http.MethodPost, pathSessions, strings.Replace(createBody("+34600000001"), "3600}", "86400}", 1))
				if !errors.Is(err, test.err) || time.Since(start) != test.took {
					t.Errorf("%v after %v, want %v after %v", err, time.Since(start), test.err, test.took)
				}
				if <-ended; time.Since(start) != test.took {
					t.Errorf("it took %v, although the client had given up", time.Since(start))
				}
				if live := len(h.Ledger()); live != test.live {
					t.Errorf("%d sessions are live, want %d", live, test.live)
				}
				time.Sleep(time.Hour)
				if live := len(h.Ledger()); live != test.late {
					t.Errorf("an hour later %d sessions are live, want %d", live, test.late)
				}
			})
		})
	}
}

func TestCommitLateFollowsTheSandboxsClock(t *testing.T) {
	t.Parallel()
	ended := make(chan Request, 1)
	h := newHarness(t, Config{Log: func(r Request) { ended <- r }})
	h.Fail(Fault{Effect: CommitLate(time.Minute)})
	ctx, cancel := context.WithCancel(t.Context())
	h.Before(OpCreate, func(int, *http.Request) { cancel() })
	if _, err := h.do(ctx, http.MethodPost, pathSessions, createBody("+34600000001")); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	<-ended // the client gave up, perhaps before the fault was reached
	h.clock.Advance(time.Minute - 1)
	if live := h.Ledger(); len(live) != 0 {
		t.Errorf("too early: %v", live)
	}
	h.clock.Advance(1)
	if live := h.Ledger(); len(live) != 1 || live[0].CreatedAt != noon.Add(time.Minute) {
		t.Errorf("a minute later: %v", live)
	}
}

func TestCommitLateDoesNotOutliveTheSandbox(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	h.Fail(Fault{Effect: CommitLate(time.Minute)})
	ctx, cancel := context.WithCancel(t.Context())
	h.Before(OpCreate, func(int, *http.Request) { cancel() })
	_, _ = h.do(ctx, http.MethodPost, pathSessions, createBody("+34600000001"))
	h.Close()
	h.clock.Advance(time.Minute)
	if live := h.Ledger(); len(live) != 0 {
		t.Errorf("committed after Close: %v", live)
	}
}

func TestWhichRequestsAFaultAffects(t *testing.T) {
	t.Parallel()
	status := func(code int) Effect { return Status(code, "") }
	tests := map[string]struct {
		faults []Fault
		want   []int // the statuses of six lists
	}{
		"none":             {nil, []int{200, 200, 200, 200, 200, 200}},
		"the next":         {[]Fault{{Operation: OpList, Effect: status(500)}}, []int{500, 200, 200, 200, 200, 200}},
		"the first":        {[]Fault{{Operation: OpList, Nth: 1, Effect: status(500)}}, []int{500, 200, 200, 200, 200, 200}},
		"the third":        {[]Fault{{Operation: OpList, Nth: 3, Effect: status(500)}}, []int{200, 200, 500, 200, 200, 200}},
		"three":            {[]Fault{{Operation: OpList, Nth: 2, Times: 3, Effect: status(500)}}, []int{200, 500, 500, 500, 200, 200}},
		"all from the 2nd": {[]Fault{{Operation: OpList, Nth: 2, Times: -1, Effect: status(500)}}, []int{200, 500, 500, 500, 500, 500}},
		"of any operation": {[]Fault{{Nth: 2, Effect: status(500)}}, []int{200, 500, 200, 200, 200, 200}},
		"of another":       {[]Fault{{Operation: OpRead, Times: -1, Effect: status(500)}}, []int{200, 200, 200, 200, 200, 200}},
		"two in a row":     {[]Fault{{Operation: OpList, Effect: status(500)}, {Operation: OpList, Effect: status(503)}}, []int{500, 503, 200, 200, 200, 200}},
		"two apart":        {[]Fault{{Operation: OpList, Nth: 4, Effect: status(503)}, {Operation: OpList, Nth: 2, Effect: status(500)}}, []int{200, 500, 200, 503, 200, 200}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, Config{})
			h.send(http.MethodGet, pathSessions, "") // before Fail: does not count
			for _, f := range test.faults {
				h.Fail(f)
			}
			var got []int
			for range test.want {
				r, err := h.do(t.Context(), http.MethodGet, pathSessions, "")
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, r.status)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestHealForgetsFaults(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	h.Fail(Fault{Times: -1, Effect: DropBeforeCommit()})
	h.Heal()
	h.createSession(createBody("+34600000001"))
}

func TestFaultsOfTheAuthorizationServer(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	h.Fail(Fault{Operation: OpToken, Effect: Status(503, "")})
	h.Fail(Fault{Operation: OpDiscovery, Effect: Answer(200, "text/html", "<html>")})
	if got := h.send(http.MethodPost, pathToken, "a=b"); got.status != 503 {
		t.Errorf("token: %d", got.status)
	}
	if got := h.send(http.MethodGet, pathDiscovery, ""); got.body != "<html>" {
		t.Errorf("discovery: %s", got.body)
	}
}

func TestMistakesInFaultsPanic(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	half := []string{"Retry-After"}
	mistakes := map[string]func(){
		"no effect":   func() { h.Fail(Fault{}) },
		"half a pair": func() { Status(500, "", half...) },
		"half of it":  func() { Header(half...) },
	}
	for name, mistake := range mistakes {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("a test that means nothing must not run")
				}
			}()
			mistake()
		})
	}
}
