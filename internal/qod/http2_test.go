// One POST is one POST, over HTTP/1.1 and HTTP/2: nothing below us repeats it, however its stream or
// its connection ends. A connection that goes silent is found and left.
package qod_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// onFirst is a fault of the first request that it is for.
func onFirst(is func(*http.Request) bool, fault streamFault) func(*http.Request) *streamFault {
	var struck atomic.Bool
	return func(r *http.Request) *streamFault {
		if is(r) && struck.CompareAndSwap(false, true) {
			return &fault
		}
		return nil
	}
}

func isRead(r *http.Request) bool { return r.Method == http.MethodGet && !qodtest.IsList(r) }

func isDelete(r *http.Request) bool { return r.Method == http.MethodDelete }

// looksBetweenPosts fails the test where a POST follows another and nobody looked in between.
func looksBetweenPosts(t *testing.T, name string, requests []string, posts int) {
	t.Helper()
	seen, looked := 0, true
	for _, request := range requests {
		switch {
		case strings.HasPrefix(request, "GET "):
			looked = true
		case !looked:
			t.Errorf("%s: a POST is repeated, and nobody looked: %q", name, requests)
			return
		default:
			seen, looked = seen+1, false
		}
	}
	qodtest.Equal(t, name+": POSTs", seen, posts)
}

// streamFaults are the ways in which a proxy ends a stream that it cannot answer. net/http repeats a
// request by itself after three of them, if it can.
func streamFaults() map[string]func(*streamConn, uint32) {
	faults := map[string]func(*streamConn, uint32){
		"GOAWAY with a lower id":             goAway(http2.ErrCodeNo),
		"GOAWAY with a lower id, in anger":   goAway(http2.ErrCodeEnhanceYourCalm),
		"GOAWAY with a lower id, and hangup": goAwayAndHangUp,
		"connection cut":                     hangUp,
	}
	for code := http2.ErrCodeNo; code <= http2.ErrCodeHTTP11Required; code++ {
		faults["RST_STREAM "+code.String()] = resetStream(code)
	}
	return faults
}

// atOnce runs cases side by side, also those that the -parallel flag would hold up: they wait, and
// do little else.
type atOnce struct{ cases []func() }

func (a *atOnce) add(f func()) { a.cases = append(a.cases, f) }

func (a *atOnce) run() {
	var wg sync.WaitGroup
	for _, f := range a.cases {
		wg.Go(f)
	}
	wg.Wait()
}

func TestCreateIsSentOnceOverHTTP2(t *testing.T) {
	t.Parallel()
	var all atOnce
	for name, strike := range streamFaults() {
		for committed, posts := range map[bool]int{false: 2, true: 1} {
			name := fmt.Sprintf("%s, committed %t", name, committed)
			server := newStreamServer(t, onFirst(qodtest.IsCreate, streamFault{committed: committed, strike: strike}))
			n := clientOf(t, server.endpoint(), staticToken)
			all.add(func() {
				s, err := n.Create(qodtest.WithTimeout(t, time.Minute), qodtest.Spec())
				isTheOneSession(t, name, server.network, s, err)
				requests, _ := server.came()
				looksBetweenPosts(t, name, requests, posts)
			})
		}
	}
	all.run()
}

// isTheOneSession fails the test unless the network has exactly what the create returned.
func isTheOneSession(t *testing.T, name string, network *sandbox.Sandbox, s qod.Session, err error) {
	t.Helper()
	if live := qodtest.IDs(network.Ledger()); err != nil || !slices.Equal(live, []string{s.ID}) {
		t.Errorf("%s: %q, %v; on the network %v", name, s.ID, err, live)
	}
}

// What has no body may be repeated below us. A DELETE that is ends as one that we repeat.
func TestDeleteOverHTTP2(t *testing.T) {
	t.Parallel()
	var all atOnce
	for name, strike := range streamFaults() {
		for _, committed := range []bool{false, true} {
			name := fmt.Sprintf("%s, committed %t", name, committed)
			server := newStreamServer(t, onFirst(isDelete, streamFault{committed: committed, strike: strike}))
			s := server.network.Seed(sandbox.Session{Device: sandbox.Device{PhoneNumber: qodtest.Phone}})
			n := clientOf(t, server.endpoint(), staticToken)
			all.add(func() {
				if err := n.Delete(qodtest.WithTimeout(t, time.Minute), qodtest.Ref(s)); err != nil && !qod.IsGone(err) {
					t.Errorf("%s: %v", name, err)
				}
				qodtest.Equal(t, name+": live", len(server.network.Ledger()), 0)
			})
		}
	}
	all.run()
}

func TestCreateIsSentOnceOverHTTP1(t *testing.T) {
	t.Parallel()
	var all atOnce
	for name, test := range map[string]struct {
		effect sandbox.Effect
		posts  int
	}{
		"cut before the commit": {sandbox.DropBeforeCommit(), 2},
		"cut after the commit":  {sandbox.DropAfterCommit(), 1},
		"reset":                 {sandbox.Reset(), 2},
		"cut within the answer": {sandbox.Truncate(20), 1},
	} {
		server := newSecure(t, trustedTLS(), false)
		n := clientOf(t, server.URL+"/v1", staticToken)
		server.network.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Times: 1, Effect: test.effect})
		all.add(func() {
			s, err := n.Create(qodtest.WithTimeout(t, time.Minute), qodtest.Spec())
			isTheOneSession(t, name, server.network, s, err)
			var requests []string
			for _, r := range server.network.Requests() {
				requests = append(requests, r.Method+" "+r.Path)
			}
			looksBetweenPosts(t, name, requests, test.posts)
		})
	}
	all.run()
}

func trustedTLS() *tls.Config {
	now := time.Now()
	return &tls.Config{
		Certificates: []tls.Certificate{trusted.sign(now.Add(-time.Hour), now.Add(time.Hour), "127.0.0.1")},
		MinVersion:   tls.VersionTLS12,
	}
}

// inHaste waits for four seconds, so that a silent connection is found after two.
func inHaste(c *qod.Config) { staticToken(c); c.RequestTimeout = 4 * time.Second }

// A NAT or a load balancer that forgets a connection says nothing. The next try takes another one.
func TestSilentHTTP2ConnectionIsLeft(t *testing.T) {
	t.Parallel()
	server := newStreamServer(t, onFirst(isRead, streamFault{strike: goDark}))
	s := server.network.Seed(sandbox.Session{Device: sandbox.Device{PhoneNumber: qodtest.Phone}})
	n := clientOf(t, server.endpoint(), func(c *qod.Config) { inHaste(c); c.MaxRetries = 1 })
	if _, err := n.List(t.Context(), qod.Filter{}); err != nil {
		t.Fatal(err)
	}
	var err error
	spent := qodtest.Elapsed(func() { _, err = n.Read(t.Context(), qodtest.Ref(s)) })
	_, connections := server.came()
	if err != nil || connections != 2 {
		t.Errorf("over %d connections: %v", connections, err)
	}
	if spent > 4*time.Second {
		t.Errorf("found after %v, no earlier than by the request timeout", spent)
	}
}

// A create whose connection goes silent is looked for over another one, for as long as one that timed
// out: what made it silent may be that the API is slow.
func TestCreateOverASilentHTTP2Connection(t *testing.T) {
	t.Parallel()
	var all atOnce
	for name, test := range map[string]struct {
		fault streamFault
		posts int
	}{
		"not committed":  {streamFault{strike: goDark}, 2},
		"committed":      {streamFault{strike: goDark, committed: true}, 1},
		"committed late": {streamFault{strike: goDark, committed: true, late: 4 * time.Second}, 1},
	} {
		server := newStreamServer(t, onFirst(qodtest.IsCreate, test.fault))
		n := clientOf(t, server.endpoint(), inHaste)
		all.add(func() {
			s, err := n.Create(qodtest.WithTimeout(t, time.Minute), qodtest.Spec())
			isTheOneSession(t, name, server.network, s, err)
			requests, connections := server.came()
			qodtest.Equal(t, name+": connections", connections, 2)
			looksBetweenPosts(t, name, requests, test.posts)
		})
	}
	all.run()
}

// HTTP/1.1 keeps a connection for each request at a time, and all may go silent together. A retry does
// not wait for one after the other.
func TestSilentIdleConnectionsAreLeft(t *testing.T) {
	t.Parallel()
	const idle = 6
	server := newSecure(t, trustedTLS(), false)
	var dark atomic.Bool
	var old sync.Map // connections from before
	end := make(chan struct{})
	var before sync.WaitGroup // holds the first requests until all have come, each by its connection
	before.Add(idle)
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !dark.Load() {
			old.Store(r.RemoteAddr, true)
			before.Done()
			before.Wait()
		} else if _, silent := old.Load(r.RemoteAddr); silent {
			<-end
			return
		}
		server.network.Handler().ServeHTTP(w, r)
	})
	t.Cleanup(func() { close(end) })
	server.network.Seed(sandbox.Session{ID: qodtest.SessionID}) // a get that finds it is all that a look takes
	n := clientOf(t, server.URL+"/v1", func(c *qod.Config) { staticToken(c); c.MaxRetries, c.RequestTimeout = 1, 3*time.Second })
	for i, err := range together(idle, func() error { return look(t, n) }) {
		if err != nil {
			t.Fatal(i, err)
		}
	}
	dark.Store(true)
	if err := look(t, n); err != nil {
		t.Errorf("the second try took a connection that went silent with the first: %v", err)
	}
	qodtest.Equal(t, "connections", server.connections.Load(), idle+1)
}

// A request that fails while it is being written may have left: over HTTP/2 net/http says that the
// headers are written only when they are.
func TestCreateThatFailsWhileItIsWritten(t *testing.T) {
	t.Parallel()
	var failed atomic.Bool
	between := func(_ *qodtest.Network, r *http.Request, next http.RoundTripper) (*http.Response, error) {
		if !qodtest.IsCreate(r) || !failed.CompareAndSwap(false, true) {
			return next.RoundTrip(r)
		}
		if trace := httptrace.ContextClientTrace(r.Context()); trace.WroteHeaderField != nil {
			trace.WroteHeaderField("Authorization", nil)
		}
		answer, err := next.RoundTrip(r.WithContext(context.Background())) //nolint:contextcheck // nobody there hears that it is written
		if err != nil {
			return nil, err
		}
		_ = answer.Body.Close()
		return nil, errors.New("cut while it was written")
	}
	qodtest.InBubble(t, qodtest.Options{Intercept: between}, func(t *testing.T, n *qodtest.Network) {
		s, err := n.Create(qodtest.WithTimeout(t, time.Minute), qodtest.Spec())
		isTheOneSession(t, "cut", n.Sandbox, s, err)
		qodtest.Equal(t, "POSTs", n.Count(sandbox.OpCreate), 1)
	})
}
