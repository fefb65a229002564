// Nothing below the client repeats a POST, over HTTP/1.1 or HTTP/2, however its stream or
// connection ends. A connection that goes silent is detected and abandoned.
package qod_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// onFirst injects a fault into the first request that matches.
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

// wantListsBetweenPosts fails the test if a POST follows another without a list in between.
func wantListsBetweenPosts(t *testing.T, requests []string, posts int) {
	t.Helper()
	seen, looked := 0, true
	for _, request := range requests {
		switch {
		case strings.HasPrefix(request, "GET "):
			looked = true
		case !looked:
			t.Errorf("a POST is repeated, and nobody looked: %q", requests)
			return
		default:
			seen, looked = seen+1, false
		}
	}
	qodtest.Equal(t, "POSTs", seen, posts)
}

// streamFaults are the ways in which a proxy ends a stream that it cannot answer. After three of
// them, net/http repeats a request by itself if it can.
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

func TestCreateIsSentOnceOverHTTP2(t *testing.T) {
	t.Parallel()
	for name, strike := range streamFaults() {
		for committed, posts := range map[bool]int{false: 2, true: 1} {
			t.Run(fmt.Sprintf("%s, committed %t", name, committed), func(t *testing.T) {
				t.Parallel()
				fault := onFirst(qodtest.IsCreate, streamFault{committed: committed, inject: strike})
				inStreamBubble(t, fault, staticToken, func(t *testing.T, server *streamServer, n *qodtest.Network) {
					s, err := n.Create(qodtest.WithTimeout(t, time.Minute), qodtest.Spec())
					wantOneSession(t, server.network, s, err)
					requests, _ := server.seen()
					wantListsBetweenPosts(t, requests, posts)
				})
			})
		}
	}
}

// wantOneSession fails the test unless the network has exactly the session that the create
// returned.
func wantOneSession(t *testing.T, network *sandbox.Sandbox, s qod.Session, err error) {
	t.Helper()
	if live := qodtest.IDs(network.Ledger()); err != nil || !slices.Equal(live, []string{s.ID}) {
		t.Errorf("%q, %v; on the network %v", s.ID, err, live)
	}
}

// Requests without a body may be repeated below the client. A DELETE that is ends like one that the
// client repeats.
func TestDeleteOverHTTP2(t *testing.T) {
	t.Parallel()
	for name, strike := range streamFaults() {
		for _, committed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, committed %t", name, committed), func(t *testing.T) {
				t.Parallel()
				fault := onFirst(isDelete, streamFault{committed: committed, inject: strike})
				inStreamBubble(t, fault, staticToken, func(t *testing.T, server *streamServer, n *qodtest.Network) {
					s := server.network.Seed(sandbox.Session{Device: sandbox.Device{PhoneNumber: qodtest.Phone}})
					if err := n.Delete(qodtest.WithTimeout(t, time.Minute), qodtest.Ref(s)); err != nil && !qod.IsGone(err) {
						t.Error(err)
					}
					qodtest.Equal(t, "live", len(server.network.Ledger()), 0)
				})
			})
		}
	}
}

func TestCreateIsSentOnceOverHTTP1(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		effect sandbox.Effect
		posts  int
	}{
		"cut before the commit": {sandbox.DropBeforeCommit(), 2},
		"cut after the commit":  {sandbox.DropAfterCommit(), 1},
		"reset":                 {sandbox.Reset(), 2},
		"cut within the answer": {sandbox.Truncate(20), 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newTLSServer(t, trustedTLS())
			n := clientOf(t, server.URL+"/v1", staticToken)
			server.network.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Times: 1, Effect: test.effect})
			s, err := n.Create(qodtest.WithTimeout(t, time.Minute), qodtest.Spec())
			wantOneSession(t, server.network, s, err)
			var requests []string
			for _, r := range server.network.Requests() {
				requests = append(requests, r.Method+" "+r.Path)
			}
			wantListsBetweenPosts(t, requests, test.posts)
		})
	}
}

func trustedTLS() *tls.Config {
	now := time.Now()
	return &tls.Config{
		Certificates: []tls.Certificate{trusted.sign(now.Add(-time.Hour), now.Add(time.Hour), "127.0.0.1")},
		MinVersion:   tls.VersionTLS12,
	}
}

// silenceTimeout is the timeout of a request: a silent connection is detected after half of it.
const silenceTimeout = 12 * time.Second

func impatientConfig(c *qod.Config) { staticToken(c); c.RequestTimeout = silenceTimeout }

// A NAT or load balancer that drops a connection does not say so. The next try uses another
// connection.
func TestSilentHTTP2ConnectionIsLeft(t *testing.T) {
	t.Parallel()
	once := func(c *qod.Config) { impatientConfig(c); c.MaxRetries = 1 }
	inStreamBubble(t, onFirst(isRead, streamFault{inject: goSilent}), once, func(t *testing.T, server *streamServer, n *qodtest.Network) {
		s := server.network.Seed(sandbox.Session{Device: sandbox.Device{PhoneNumber: qodtest.Phone}})
		if _, err := n.List(t.Context(), qod.Filter{}); err != nil {
			t.Fatal(err)
		}
		var err error
		spent := qodtest.Elapsed(func() { _, err = n.Read(t.Context(), qodtest.Ref(s)) })
		_, connections := server.seen()
		if err != nil || connections != 2 {
			t.Errorf("over %d connections: %v", connections, err)
		}
		if most := silenceTimeout/2 + 2*time.Second; spent > most { // and the pause before a retry
			t.Errorf("found after %v, want at most %v", spent, most)
		}
	})
}

// A create whose connection goes silent looks for its session over another one, for as long as
// after a timeout: the reason may be that the API is slow.
func TestCreateOverASilentHTTP2Connection(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault streamFault
		posts int
	}{
		"not committed":  {streamFault{inject: goSilent}, 2},
		"committed":      {streamFault{inject: goSilent, committed: true}, 1},
		"committed late": {streamFault{inject: goSilent, committed: true, late: 4 * time.Second}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inStreamBubble(t, onFirst(qodtest.IsCreate, test.fault), impatientConfig, func(t *testing.T, server *streamServer, n *qodtest.Network) {
				s, err := n.Create(qodtest.WithTimeout(t, time.Minute), qodtest.Spec())
				wantOneSession(t, server.network, s, err)
				requests, connections := server.seen()
				qodtest.Equal(t, "connections", connections, 2)
				wantListsBetweenPosts(t, requests, test.posts)
			})
		})
	}
}

// HTTP/1.1 needs one connection for each concurrent request, and all may go silent together. A
// retry does not try them one after another.
func TestSilentIdleConnectionsAreLeft(t *testing.T) {
	t.Parallel()
	const idle = 6
	type connection struct{}
	once := func(c *qod.Config) { impatientConfig(c); c.MaxRetries = 1 }
	inServerBubble(t, false, once, func(t *testing.T, server *countingServer, n *qodtest.Network) {
		server.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connection{}, c) }
		var dark atomic.Bool
		var old sync.Map // connections from before
		end := make(chan struct{})
		var before sync.WaitGroup // holds the first requests until all have come, each by its connection
		before.Add(idle)
		server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			conn := r.Context().Value(connection{})
			if !dark.Load() {
				old.Store(conn, true)
				before.Done()
				before.Wait()
			} else if _, silent := old.Load(conn); silent {
				<-end
				return
			}
			server.network.Handler().ServeHTTP(w, r)
		})
		defer close(end)
		server.network.Seed(sandbox.Session{ID: qodtest.SessionID}) // a get that finds it is all that a look takes
		for i, err := range concurrently(idle, func() error { return list(t, n) }) {
			if err != nil {
				t.Fatal(i, err)
			}
		}
		synctest.Wait() // until all connections are idle
		dark.Store(true)
		if err := list(t, n); err != nil {
			t.Errorf("the second try took a connection that went silent with the first: %v", err)
		}
		qodtest.Equal(t, "connections", server.connections.Load(), idle+1)
	})
}

// A request that fails while it is written may have left: over HTTP/2, net/http reports the headers
// as written only afterwards.
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
		wantOneSession(t, n.Sandbox, s, err)
		qodtest.Equal(t, "POSTs", n.Count(sandbox.OpCreate), 1)
	})
}
