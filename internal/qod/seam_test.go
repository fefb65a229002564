// Proves that another API and another grant take a file each, and nothing else: the API of
// other_api_test.go goes through everything that a session goes through.

package qod

import (
	"context"
	"errors"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	lineOne   = "+34600000001"
	lineTwo   = "+34600000002"
	serverOne = "198.51.100.1"
	serverTwo = "198.51.100.2"
)

func otherSpec(line, server string) Spec {
	return Spec{
		Device:            Device{PhoneNumber: line, NetworkAccessIdentifier: "", IPv4Address: nil, IPv6Address: ""},
		ApplicationServer: &ApplicationServer{IPv4Address: server, IPv6Address: ""},
		QoSProfile:        "STEADY", NotificationURL: "", NotificationAuthToken: "",
		Seconds: 3600, Until: time.Time{}, Unknown: nil,
	}
}

// contextFor is the test's context with a deadline.
func contextFor(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// mustCreate creates a session, and waits for it.
func (n *otherNetwork) mustCreate(t *testing.T, spec Spec) (Session, Ref) {
	t.Helper()
	s, err := n.Create(contextFor(t, 5*time.Minute), spec)
	if err != nil {
		t.Fatal(err)
	}
	ref := Ref{ID: s.ID, Device: spec.Device, QoSProfile: spec.QoSProfile}
	if s, err = n.Await(contextFor(t, 5*time.Minute), ref); err != nil {
		t.Fatal(err)
	}
	ref.ExpiresAt = s.ExpiresAt
	return s, ref
}

// want checks how many requests of an operation there have been.
func (n *otherNetwork) want(t *testing.T, op Operation, requests int) {
	t.Helper()
	if got := n.requests[op]; got != requests {
		t.Errorf("%d requests to %s, want %d", got, op, requests)
	}
}

// wantLive checks which sessions the network has.
func (n *otherNetwork) wantLive(t *testing.T, ids ...string) {
	t.Helper()
	var live []string
	for _, b := range n.bookings {
		if time.Now().Before(b.to) {
			live = append(live, b.id)
		}
	}
	if !slices.Equal(live, ids) {
		t.Errorf("the network has %v, want %v", live, ids)
	}
}

// others is a session of somebody else for the first line.
func (n *otherNetwork) others(id, server string) {
	n.bookings = append(n.bookings, &booking{
		id: id, line: lineOne, server: server, profile: "STEADY", state: "ACTIVE", from: time.Now(), to: time.Now().Add(time.Hour),
	})
}

func asError[E error](t *testing.T, err error) E {
	t.Helper()
	found, ok := errors.AsType[E](err)
	if !ok {
		t.Fatalf("the error is %T, want %T: %v", err, found, err)
	}
	return found
}

var errBroken = errors.New("connection reset by peer")

// lose makes the n-th request of an operation lose its answer, after or before it is carried out.
func lose(op Operation, nth int, committed bool) interceptor {
	return func(asked Operation, n int, commit func() *httptest.ResponseRecorder) (*httptest.ResponseRecorder, error) {
		if asked != op || n != nth {
			return nil, nil
		}
		if committed {
			commit()
		}
		return nil, errBroken
	}
}

// The whole life of a session, with one prompt for a person who takes 90 seconds to agree.
func TestSeam_life(t *testing.T) {
	t.Parallel()
	inOtherBubble(t, func(t *testing.T, n *otherNetwork) {
		spec := otherSpec(lineOne, serverOne)
		spec.Seconds = 48 * 3600
		s, ref := n.mustCreate(t, spec)
		if s.Status != StatusAvailable || s.ExpiresAt.Sub(s.StartedAt) != 48*time.Hour {
			t.Errorf("%v", s)
		}
		if s, err := n.Read(t.Context(), ref); err != nil || s.ID != ref.ID {
			t.Errorf("read: %v, %v", s, err)
		}
		found, err := n.List(t.Context(), Filter{Device: spec.Device})
		if err != nil || len(found) != 1 || found[0].Device.PhoneNumber != lineOne {
			t.Errorf("list: %v, %v", found, err)
		}
		until := s.ExpiresAt.Add(6 * time.Hour)
		if s, err = n.Extend(t.Context(), ref, until); err != nil || !s.ExpiresAt.Equal(until) {
			t.Errorf("extend: %v, %v", s, err)
		}
		if err := n.Delete(t.Context(), ref); err != nil {
			t.Error(err)
		}
		n.wantLive(t)
		if n.prompts[lineOne] != 1 {
			t.Errorf("%d prompts", n.prompts[lineOne])
		}
	})
}

// A profile may have a longest session although the API has none, and the time that remains is
// learned from requests that ask nobody.
func TestSeam_until(t *testing.T) {
	t.Parallel()
	for profile, want := range map[string]time.Duration{"STEADY": 30 * time.Hour, "BURST": 10 * time.Minute} {
		inOtherBubble(t, func(t *testing.T, n *otherNetwork) {
			now, err := n.Now(t.Context())
			if err != nil || len(n.prompts) > 0 {
				t.Fatalf("%v, prompts %v", err, n.prompts)
			}
			n.agreesAfter = 0
			spec := otherSpec(lineOne, serverOne)
			spec.QoSProfile, spec.Seconds, spec.Until = profile, 0, now.Add(30*time.Hour)
			s, _ := n.mustCreate(t, spec)
			if got := s.ExpiresAt.Sub(s.StartedAt); want-got > 10*time.Second || got > want {
				t.Errorf("%s lasts %v, want %v", profile, got, want)
			}
		})
	}
}

// The answer to a create is lost; the device's own list shows whether there is a session.
func TestSeam_lostAnswer(t *testing.T) {
	t.Parallel()
	for _, committed := range []bool{false, true} {
		inOtherBubble(t, func(t *testing.T, n *otherNetwork) {
			n.mustCreate(t, otherSpec(lineOne, serverTwo)) // another flow of the device
			n.mustCreate(t, otherSpec(lineTwo, serverOne)) // another device
			lost := lose(OperationCreate, 3, committed)
			n.intercept = func(op Operation, times int, commit func() *httptest.ResponseRecorder) (*httptest.ResponseRecorder, error) {
				if op == OperationCreate && times == 3 {
					n.others("theirs", "198.51.100.3") // for another flow at the same time
				}
				return lost(op, times, commit)
			}
			s, ref := n.mustCreate(t, otherSpec(lineOne, serverOne))
			if committed {
				n.want(t, OperationCreate, 3)
			} else {
				n.want(t, OperationCreate, 4)
			}
			n.wantLive(t, "b1", "b2", "theirs", s.ID)
			if err := n.Delete(t.Context(), ref); err != nil {
				t.Error(err)
			}
		})
	}
}

// One device's list is refused: that ends its own search for a lost answer, and no other's.
func TestSeam_listOfOneDevice(t *testing.T) {
	t.Parallel()
	inOtherBubble(t, func(t *testing.T, n *otherNetwork) {
		n.unlisted = lineOne
		_, ref := n.mustCreate(t, otherSpec(lineOne, serverOne))
		if !n.lists.of(ref.Device).unsupported() {
			t.Error("the list is still asked for")
		}
		n.intercept = lose(OperationCreate, 2, true)
		n.mustCreate(t, otherSpec(lineTwo, serverOne))
		n.want(t, OperationCreate, 2)

		// Without its list, the session is gone by the API's own words.
		n.bookings = n.bookings[1:]
		_, err := n.Read(contextFor(t, 5*time.Minute), ref)
		if gone := asError[*GoneError](t, err); gone.Proof != ProofRepeat {
			t.Errorf("the proof is that %s", gone.Proof)
		}
	})
}

// A session in the way is told by device and server, as this API has it.
func TestSeam_conflict(t *testing.T) {
	t.Parallel()
	inOtherBubble(t, func(t *testing.T, n *otherNetwork) {
		n.others("theirs", serverOne)
		n.others("of-another-flow", "198.51.100.3")
		_, ref := n.mustCreate(t, otherSpec(lineOne, serverTwo))
		if err := n.Delete(t.Context(), ref); err != nil {
			t.Fatal(err)
		}
		_, err := n.Create(contextFor(t, 5*time.Minute), otherSpec(lineOne, serverOne))
		conflict := asError[*ConflictError](t, err)
		if len(conflict.Own)+len(conflict.Deleted)+len(conflict.Possible) > 0 || len(conflict.Visible) != 1 || conflict.Visible[0].ID != "theirs" {
			t.Errorf("%+v", conflict)
		}
		n.wantLive(t, "theirs", "of-another-flow")
	})
}

// A conflict with what this process has deleted is waited out.
func TestSeam_conflictPasses(t *testing.T) {
	t.Parallel()
	inOtherBubble(t, func(t *testing.T, n *otherNetwork) {
		n.lingers = 40 * time.Second
		_, ref := n.mustCreate(t, otherSpec(lineOne, serverOne))
		if err := n.Delete(t.Context(), ref); err != nil {
			t.Fatal(err)
		}
		s, _ := n.mustCreate(t, otherSpec(lineOne, serverOne))
		n.wantLive(t, s.ID)
	})
}

// What is gone is proven by the device's list, although other devices have sessions that are not in
// it.
func TestSeam_gone(t *testing.T) {
	t.Parallel()
	inOtherBubble(t, func(t *testing.T, n *otherNetwork) {
		_, other := n.mustCreate(t, otherSpec(lineTwo, serverOne))
		_, ref := n.mustCreate(t, otherSpec(lineOne, serverOne))
		time.Sleep(2 * maxLag)
		n.bookings = n.bookings[:1]
		if _, err := n.Read(t.Context(), other); err != nil {
			t.Fatal(err)
		}
		_, err := n.Read(contextFor(t, 5*time.Minute), ref)
		if gone := asError[*GoneError](t, err); gone.Proof != ProofList {
			t.Errorf("the proof is that %s", gone.Proof)
		}
		if err := n.Delete(contextFor(t, 5*time.Minute), ref); !IsGone(err) {
			t.Errorf("delete: %v", err)
		}
		if _, err := n.Extend(contextFor(t, 5*time.Minute), ref, time.Now().Add(5*time.Hour)); !IsGone(err) {
			t.Errorf("extend: %v", err)
		}
		n.want(t, OperationExtend, 0)
	})
}

// A list that is as long as lists get may be a part, and proves nothing.
func TestSeam_longestList(t *testing.T) {
	t.Parallel()
	inOtherBubble(t, func(t *testing.T, n *otherNetwork) {
		_, ref := n.mustCreate(t, otherSpec(lineOne, "198.51.100.9"))
		for _, server := range []string{serverOne, serverTwo, "198.51.100.3", "198.51.100.4"} {
			n.mustCreate(t, otherSpec(lineOne, server))
		}
		time.Sleep(2 * maxLag)
		n.bookings = n.bookings[1:]
		_, err := n.Read(contextFor(t, 5*time.Minute), ref)
		if asError[*UnprovenError](t, err).Listed {
			t.Error(err)
		}
		if _, err = n.List(t.Context(), Filter{Device: ref.Device}); !errors.Is(asError[*IncompleteListError](t, err), errIncompleteList) {
			t.Error(err)
		}
	})
}

func TestSeam_extend(t *testing.T) {
	t.Parallel()
	refuseAll := func(status int, reason string) interceptor {
		return func(op Operation, _ int, _ func() *httptest.ResponseRecorder) (*httptest.ResponseRecorder, error) {
			if op != OperationExtend {
				return nil, nil
			}
			return refusal(status, reason), nil
		}
	}
	for name, test := range map[string]struct {
		arrange  func(n *otherNetwork)
		by       time.Duration // default: an hour
		granted  time.Duration // default: by
		requests int
		code     string // of the error
	}{
		"granted":          {requests: 1},
		"lasts as long":    {by: -time.Hour, granted: -1, requests: 0},
		"less than second": {by: 999 * time.Millisecond, granted: -1, requests: 0},
		"lost before":      {arrange: func(n *otherNetwork) { n.intercept = lose(OperationExtend, 1, false) }, requests: 2},
		"lost after":       {arrange: func(n *otherNetwork) { n.intercept = lose(OperationExtend, 1, true) }, requests: 1},
		"lost after, and read from a replica that lags": {
			arrange: func(n *otherNetwork) { n.loseAndLag(50 * time.Second) }, requests: 1,
		},
		"capped": {
			arrange: func(n *otherNetwork) { n.most = 70 * time.Minute }, granted: 10 * time.Minute, requests: 1,
		},
		"capped, and lost after": {
			arrange: func(n *otherNetwork) {
				n.most, n.intercept = 70*time.Minute, lose(OperationExtend, 1, true)
			},
			granted: 10 * time.Minute, requests: 1,
		},
		"refused":      {arrange: func(n *otherNetwork) { n.intercept = refuseAll(422, "TOO_LONG") }, requests: 1, code: "TOO_LONG", granted: -1},
		"not now":      {arrange: func(n *otherNetwork) { n.intercept = refuseAll(422, "NOT_NOW") }, requests: 1, code: "NOT_NOW", granted: -1},
		"no extension": {arrange: func(n *otherNetwork) { n.intercept = refuseAll(404, "") }, requests: 1, granted: -1, code: "-"},
		"always lost":  {arrange: func(n *otherNetwork) { n.intercept = refuseAll(502, "") }, requests: 5, granted: -1, code: "-"},
		"rate-limited": {
			arrange: func(n *otherNetwork) {
				n.intercept = func(op Operation, times int, _ func() *httptest.ResponseRecorder) (*httptest.ResponseRecorder, error) {
					if op != OperationExtend || times > 2 {
						return nil, nil
					}
					return refusal(429, "SLOWLY"), nil
				}
			},
			requests: 3,
		},
		"token refused": {
			arrange: func(n *otherNetwork) {
				n.intercept = func(op Operation, times int, _ func() *httptest.ResponseRecorder) (*httptest.ResponseRecorder, error) {
					if op != OperationExtend || times > 1 {
						return nil, nil
					}
					return refusal(401, "WHO"), nil
				}
			},
			requests: 2,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inOtherBubble(t, func(t *testing.T, n *otherNetwork) {
				before, ref := n.mustCreate(t, otherSpec(lineOne, serverOne))
				if test.arrange != nil {
					test.arrange(n)
				}
				if test.by == 0 {
					test.by = time.Hour
				}
				want := before.ExpiresAt
				switch {
				case test.granted > 0:
					want = want.Add(test.granted)
				case test.granted == 0:
					want = want.Add(test.by)
				}
				s, err := n.Extend(contextFor(t, 20*time.Minute), ref, before.ExpiresAt.Add(test.by))
				n.want(t, OperationExtend, test.requests)
				if to := n.bookings[0].to; want.Sub(to).Abs() > 15*time.Second {
					t.Errorf("on the network it ends at %v, want %v", to, want)
				}
				if test.code == "" {
					if err != nil || want.Sub(s.ExpiresAt).Abs() > 15*time.Second || s.ID != ref.ID {
						t.Errorf("%v, %v, want the end %v", s, err, want)
					}
					return
				}
				if code := asError[*Error](t, err).Code; code != strings.TrimPrefix(test.code, "-") {
					t.Errorf("the code is %q: %v", code, err)
				}
			})
		})
	}
}

// loseAndLag loses the answer to the first extension, and shows the old end for a while.
func (n *otherNetwork) loseAndLag(lag time.Duration) {
	var at, old time.Time
	n.intercept = func(op Operation, times int, commit func() *httptest.ResponseRecorder) (*httptest.ResponseRecorder, error) {
		b := n.bookings[0]
		switch {
		case op == OperationExtend && times == 1:
			at, old = time.Now(), b.to
			commit()
			return nil, errBroken
		case op == OperationRead && time.Since(at) < lag:
			defer func(to time.Time) { b.to = to }(b.to)
			b.to = old
			return commit(), nil
		}
		return nil, nil
	}
}

// While the session is REQUESTED, an extension waits, and asks once it is not.
func TestSeam_extendRequested(t *testing.T) {
	t.Parallel()
	inOtherBubble(t, func(t *testing.T, n *otherNetwork) {
		n.provisions = time.Minute
		spec := otherSpec(lineOne, serverOne)
		s, err := n.Create(contextFor(t, 5*time.Minute), spec)
		if err != nil || s.Status != StatusRequested {
			t.Fatal(s, err)
		}
		ref := Ref{ID: s.ID, Device: spec.Device}
		until := n.bookings[0].to.Add(time.Hour).Truncate(time.Second)
		// A get that is a moment ahead of what takes extensions: then it is asked for again.
		n.intercept = func(op Operation, times int, _ func() *httptest.ResponseRecorder) (*httptest.ResponseRecorder, error) {
			if op != OperationExtend || times > 1 {
				return nil, nil
			}
			n.bookings[0].state, n.bookings[0].from = "PENDING", time.Now().Add(10*time.Second)
			return refusal(409, "NOT_NOW"), nil
		}
		if s, err = n.Extend(contextFor(t, 5*time.Minute), ref, until); err != nil || !s.ExpiresAt.Equal(until) {
			t.Errorf("%v, %v, want the end %v", s, err, until)
		}
		n.want(t, OperationExtend, 2)

		// A get that is a moment behind, too.
		n.bookings[0].state, n.showsEnd = "PENDING", true
		n.intercept = func(op Operation, times int, _ func() *httptest.ResponseRecorder) (*httptest.ResponseRecorder, error) {
			if n.bookings[0].from = time.Now().Add(time.Hour); op != OperationExtend || times > 3 {
				return nil, nil
			}
			n.bookings[0].state, n.intercept = "ACTIVE", nil
			return refusal(409, "NOT_NOW"), nil
		}
		until = until.Add(time.Hour)
		if s, err = n.Extend(contextFor(t, 5*time.Minute), ref, until); err != nil || !s.ExpiresAt.Equal(until) {
			t.Errorf("%v, %v, want the end %v", s, err, until)
		}
		n.want(t, OperationExtend, 4)
		n.showsEnd = false

		// What stays REQUESTED is given up when the time is up.
		n.bookings[0].state, n.bookings[0].from = "PENDING", time.Now().Add(time.Hour)
		n.intercept = nil
		began := time.Now()
		_, err = n.Extend(contextFor(t, time.Minute), ref, until.Add(time.Hour))
		if interruption := asError[*InterruptedError](t, err); !interruption.Timeout || interruption.Sent || !errors.Is(err, ErrStillRequested) || time.Since(began) > time.Minute+lastPollTimeout {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		n.want(t, OperationExtend, 4)
	})
}

// An interrupt after a lost answer sends nothing more, and says that the session may be extended.
func TestSeam_extendInterrupted(t *testing.T) {
	t.Parallel()
	for _, committed := range []bool{false, true} {
		inOtherBubble(t, func(t *testing.T, n *otherNetwork) {
			before, ref := n.mustCreate(t, otherSpec(lineOne, serverOne))
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			n.intercept = func(op Operation, times int, commit func() *httptest.ResponseRecorder) (*httptest.ResponseRecorder, error) {
				if op == OperationExtend {
					cancel()
				}
				return lose(OperationExtend, 1, committed)(op, times, commit)
			}
			s, err := n.Extend(ctx, ref, before.ExpiresAt.Add(time.Hour))
			n.want(t, OperationExtend, 1)
			if committed {
				if err != nil || !s.ExpiresAt.Equal(before.ExpiresAt.Add(time.Hour)) {
					t.Errorf("%v, %v", s, err)
				}
			} else if interruption := asError[*InterruptedError](t, err); !interruption.Sent || interruption.Timeout {
				t.Errorf("%+v", interruption)
			}
		})
	}
}

// An interrupt does not cut short a request that was sent.
func TestSeam_extendInterruptedUnderWay(t *testing.T) {
	t.Parallel()
	inOtherBubble(t, func(t *testing.T, n *otherNetwork) {
		before, ref := n.mustCreate(t, otherSpec(lineOne, serverOne))
		until := before.ExpiresAt.Add(time.Hour)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		time.AfterFunc(latency*3/2, cancel) // the first request is a read
		if s, err := n.Extend(ctx, ref, until); err != nil || !s.ExpiresAt.Equal(until) {
			t.Errorf("%v, %v", s, err)
		}
		n.want(t, OperationExtend, 1)
	})
}

// What the API cannot do is no request.
func TestExtend_unsupported(t *testing.T) {
	t.Parallel()
	c, err := New(Config{Endpoint: "https://gateway.example", ClientID: "x", ClientSecret: "y", RequestTimeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Extend(t.Context(), Ref{ID: "b1"}, time.Now()); !errors.Is(err, ErrUnsupported) {
		t.Error(err)
	}
}

// Two extensions of one session to the same end are one.
func TestSeam_extendTwice(t *testing.T) {
	t.Parallel()
	inOtherBubble(t, func(t *testing.T, n *otherNetwork) {
		before, ref := n.mustCreate(t, otherSpec(lineOne, serverOne))
		until := before.ExpiresAt.Add(time.Hour)
		done := make(chan error)
		for range 2 {
			go func() { _, err := n.Extend(t.Context(), ref, until); done <- err }()
		}
		if err := errors.Join(<-done, <-done); err != nil {
			t.Error(err)
		}
		n.want(t, OperationExtend, 1)
	})
}

// Without its device there is no token for a session, and nothing is sent.
func TestSeam_noDevice(t *testing.T) {
	t.Parallel()
	inOtherBubble(t, func(t *testing.T, n *otherNetwork) {
		ref := Ref{ID: "b1"}
		ctx := contextFor(t, time.Minute)
		for verb, call := range map[string]func() error{
			"read":   func() error { _, err := n.Read(ctx, ref); return err },
			"await":  func() error { _, err := n.Await(ctx, ref); return err },
			"extend": func() error { _, err := n.Extend(ctx, ref, time.Now().Add(time.Hour)); return err },
			"delete": func() error { return n.Delete(ctx, ref) },
			"create": func() error { _, err := n.Create(ctx, otherSpec("", serverOne)); return err },
		} {
			if err := call(); !errors.Is(err, ErrNoDevice) {
				t.Errorf("%s: %v", verb, err)
			}
		}
		if _, err := n.List(ctx, Filter{}); !errors.Is(err, ErrListNeedsDevice) {
			t.Errorf("list: %v", err)
		}
		if _, ok := n.ReadCached(ctx, ref); ok {
			t.Error("a list shows it")
		}
		if len(n.requests) > 0 || len(n.prompts) > 0 {
			t.Errorf("requests %v, prompts %v", n.requests, n.prompts)
		}
	})
}

// An interrupt does not wait for the person who is asked, and nobody is asked twice.
func TestSeam_consent(t *testing.T) {
	t.Parallel()
	inOtherBubble(t, func(t *testing.T, n *otherNetwork) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(10*time.Second, cancel)
		began := time.Now()
		_, err := n.Create(ctx, otherSpec(lineOne, serverOne))
		if asError[*InterruptedError](t, err).Sent || time.Since(began) > 11*time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		n.want(t, OperationCreate, 0)
		_, ref := n.mustCreate(t, otherSpec(lineOne, serverOne))
		_, other := n.mustCreate(t, otherSpec(lineTwo, serverOne))
		if n.prompts[lineOne] != 1 || n.prompts[lineTwo] != 1 {
			t.Errorf("prompts: %v", n.prompts)
		}
		// The token of one device is revoked: that one alone is asked for again.
		n.revoked["token-34600000001-1"] = true
		for _, ref := range []Ref{ref, other} {
			if _, err := n.Read(contextFor(t, 5*time.Minute), ref); err != nil {
				t.Error(err)
			}
		}
		if n.prompts[lineOne] != 2 || n.prompts[lineTwo] != 1 {
			t.Errorf("prompts: %v", n.prompts)
		}
	})
}

// A check tells what is not set from what is not known yet.
func TestSeam_check(t *testing.T) {
	t.Parallel()
	inOtherBubble(t, func(t *testing.T, n *otherNetwork) {
		spec := otherSpec(lineOne, serverOne)
		spec.ApplicationServer = nil
		if found := n.Check(spec); len(found) != 1 || found[0].Field != FieldApplicationServer {
			t.Errorf("not set: %v", found)
		}
		spec.Unknown = map[Field]bool{FieldApplicationServer: true}
		if found := n.Check(spec); len(found) != 0 {
			t.Errorf("not known: %v", found)
		}
	})
}
