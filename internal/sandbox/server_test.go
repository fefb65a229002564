package sandbox

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestServerSaysWhereItIs(t *testing.T) {
	t.Parallel()
	h, server := newServerHarness(t, Config{})
	host, port, err := net.SplitHostPort(strings.TrimPrefix(server.URL(), "http://"))
	if err != nil || host != "127.0.0.1" || port == "0" {
		t.Errorf("URL %s", server.URL())
	}
	if server.Endpoint() != server.URL()+"/v1" || server.TokenURL() != server.URL()+"/oauth/token" {
		t.Errorf("endpoint %s, token URL %s", server.Endpoint(), server.TokenURL())
	}
	if got := h.send(http.MethodGet, pathDiscovery, ""); !strings.Contains(got.body, `"`+server.TokenURL()+`"`) {
		t.Errorf("discovery does not name %s: %s", server.TokenURL(), got.body)
	}
}

func TestZeroConfigIsUsable(t *testing.T) {
	t.Parallel()
	server := Start(t, Config{})
	before := time.Now()
	request, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, server.TokenURL(), strings.NewReader("grant_type=client_credentials"))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(DefaultClient.ID, DefaultClient.Secret)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	date, err := http.ParseTime(response.Header.Get("Date"))
	if response.StatusCode != http.StatusOK || err != nil || date.Before(before.Add(-time.Minute)) || date.After(before.Add(time.Minute)) {
		t.Errorf("%s, dated %v (%v)", response.Status, date, err)
	}
}

func TestConnectionsCanBeCounted(t *testing.T) {
	t.Parallel()
	h, _ := newServerHarness(t, Config{})
	for range 3 {
		h.listSessions()
	}
	remotes := map[string]bool{}
	for _, r := range h.Requests() {
		remotes[r.Remote] = true
	}
	if len(remotes) != 1 {
		t.Errorf("a client that keeps its connection uses %d", len(remotes))
	}
}

func TestCloseIdle(t *testing.T) {
	t.Parallel()
	h, server := newServerHarness(t, Config{})
	h.createSession(createBody("+34600000001"))
	server.CloseIdle()
	// net/http resends a GET if the connection turns out to be closed.
	h.listSessions()
	if all := h.Requests(); all[0].Remote == all[1].Remote {
		t.Error("the idle connection is still in use")
	}
}

func TestCloseIdleWaitsForAnswersInFlight(t *testing.T) {
	t.Parallel()
	h, server := newServerHarness(t, Config{})
	h.Before(OpCreate, func(int, *http.Request) { server.CloseIdle() })
	h.createSession(createBody("+34600000001"))
	h.listSessions()
	if all := h.Requests(); all[0].Remote == all[1].Remote {
		t.Error("the connection is still in use after its answer")
	}
}

// A client that waits for an answer must not get an empty 200.
func TestClosedSandboxCutsWhatHangs(t *testing.T) {
	t.Parallel()
	h, server := newServerHarness(t, Config{})
	h.Fail(Fault{Effect: HangBeforeCommit()})
	arrived := make(chan struct{})
	h.Before(OpList, func(int, *http.Request) { close(arrived) })
	go func() {
		<-arrived
		server.Sandbox.Close()
	}()
	if got, err := h.do(t.Context(), http.MethodGet, pathSessions, ""); err == nil {
		t.Errorf("answered %+v", got)
	}
}

func TestCloseWaitsForRequestsInFlight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, Config{Clock: realClock{}})
		var finish, closed = make(chan struct{}), make(chan struct{})
		h.Before(OpCreate, func(int, *http.Request) { <-finish })
		go func() { _, _ = h.do(t.Context(), http.MethodPost, pathSessions, createBody("+34600000001")) }()
		synctest.Wait()
		go func() {
			h.Close()
			close(closed)
		}()
		synctest.Wait()
		select {
		case <-closed:
			t.Error("closed with a request in flight")
		default:
		}
		close(finish)
		<-closed
		if len(h.Ledger()) != 1 {
			t.Error("the request in flight was not finished")
		}
	})
}

func TestServerCloseEndsWhatHangs(t *testing.T) {
	t.Parallel()
	h, server := newServerHarness(t, Config{})
	h.Fail(Fault{Times: -1, Effect: HangBeforeCommit()})
	arrived := make(chan struct{}, 3)
	h.Before(OpList, func(int, *http.Request) { arrived <- struct{}{} })
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if _, err := h.do(t.Context(), http.MethodGet, pathSessions, ""); err == nil {
				t.Error("there must be no answer")
			}
		})
	}
	for range 3 {
		<-arrived
	}
	server.Close()
	wg.Wait()
	server.Close() // a second Close does nothing
	if _, err := h.do(t.Context(), http.MethodGet, pathSessions, ""); err == nil {
		t.Error("a closed server answers")
	}
}

func TestServerCloseEndsWhatNobodyReads(t *testing.T) {
	t.Parallel()
	h, server := newServerHarness(t, Config{})
	h.Fail(Fault{Effect: Endless()})
	request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, h.base+pathSessions, nil)
	response, err := h.to.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	server.Close()
	if _, err := io.Copy(io.Discard, response.Body); err == nil {
		t.Error("an endless body came to a good end")
	}
}

func TestListenSaysWhyNot(t *testing.T) {
	t.Parallel()
	taken := Start(t, Config{})
	if _, err := Listen(strings.TrimPrefix(taken.URL(), "http://"), Config{}); err == nil {
		t.Error("two servers listen at one address")
	}
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	for transport, start := range transports {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			h := start(t, Config{})
			var wg sync.WaitGroup
			created := make(chan int, 100)
			for i := range 100 {
				wg.Go(func() {
					got, err := h.do(t.Context(), http.MethodPost, pathSessions, createBody(fmt.Sprintf("+346000%05d", i/2)))
					if err != nil {
						t.Error(err)
					}
					h.Revoke("unknown")
					created <- got.status
				})
			}
			wg.Wait()
			close(created)
			statuses := map[int]int{}
			for status := range created {
				statuses[status]++
			}
			if statuses[201] != 50 || statuses[409] != 50 || len(h.Ledger()) != 50 {
				t.Errorf("two for each of 50 devices: %v, ledger %d", statuses, len(h.Ledger()))
			}
		})
	}
}
