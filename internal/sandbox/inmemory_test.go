package sandbox

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// In a bubble, time moves only while all goroutines are durably blocked, and a goroutine that is
// left at the end fails the test. These tests prove that the sandbox allows for both.
func TestVirtualTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{Provisioning: 30 * time.Second, Latency: 50 * time.Millisecond})
		defer s.Close()
		s.AcceptToken("token", DefaultClient.ID)
		client := &http.Client{Transport: s.RoundTripper(), Timeout: 10 * time.Second}
		send := func(method, path, body string) (int, string) {
			request, _ := http.NewRequestWithContext(t.Context(), method, "https://any.host.example"+path, strings.NewReader(body))
			request.Header.Set("Authorization", "Bearer token")
			request.Header.Set("Content-Type", "application/json")
			response, err := client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			got, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			return response.StatusCode, string(got)
		}
		start := time.Now()
		if status, body := send(http.MethodPost, pathSessions, createBody("+34600000001")); status != 201 {
			t.Fatalf("%d %s", status, body)
		}
		polls := 0
		for {
			polls++
			if _, body := send(http.MethodGet, pathSessions, ""); strings.Contains(body, StatusAvailable) {
				break
			}
			time.Sleep(time.Second)
		}
		// 50 ms for the create request, then a poll every 1.05 s: the 30th is the first after 30 s.
		if polls != 30 || time.Since(start) != 50*time.Millisecond+29*1050*time.Millisecond+50*time.Millisecond {
			t.Errorf("AVAILABLE after %d polls and %v", polls, time.Since(start))
		}
		time.Sleep(time.Hour)
		if live := s.Ledger(); len(live) != 0 {
			t.Errorf("after its end: %v", live)
		}
	})
}

func TestClientTimeoutInVirtualTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, Config{Clock: realClock{}})
		h.Fail(Fault{Effect: HangAfterCommit()})
		client := &http.Client{Transport: h.RoundTripper(), Timeout: 10 * time.Second}
		start := time.Now()
		request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, h.base+pathSessions, nil)
		_, err := client.Do(request) //nolint:bodyclose // there is none
		var timeout interface{ Timeout() bool }
		if !errors.As(err, &timeout) || !timeout.Timeout() || time.Since(start) != 10*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func TestCloseEndsWhatHangsInMemory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, Config{Clock: realClock{}})
		h.Fail(Fault{Times: -1, Effect: HangBeforeCommit()})
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if _, err := h.do(t.Context(), http.MethodGet, pathSessions, ""); !errors.Is(err, io.EOF) {
					t.Errorf("error %v, want io.EOF", err)
				}
			})
		}
		synctest.Wait()
		h.Close()
		wg.Wait()
		if _, err := h.do(t.Context(), http.MethodGet, pathSessions, ""); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("a closed sandbox answers %v, want a refused connection", err)
		}
	})
}

// A client that closes the body early must end the request.
func TestUnreadBodiesEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan Request, 1)
		h := newHarness(t, Config{Clock: realClock{}, Log: func(r Request) { ended <- r }})
		for _, effect := range []Effect{Endless(), GzipBomb(), HeadThenHang()} {
			h.Fail(Fault{Effect: effect})
			request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, h.base+pathSessions, nil)
			response, err := h.RoundTripper().RoundTrip(request)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = response.Body.Read(make([]byte, 8))
			response.Body.Close()
			<-ended
		}
	})
}

func TestCloseEndsWhatNobodyReads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, Config{Clock: realClock{}})
		h.Fail(Fault{Effect: Endless()})
		request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, h.base+pathSessions, nil)
		response, err := h.RoundTripper().RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		synctest.Wait()
		h.Close()
		if _, err := io.Copy(io.Discard, response.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("the body ends with %v", err)
		}
	})
}

func TestAbandonedRequestIsNotSent(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.do(ctx, http.MethodPost, pathSessions, createBody("+34600000001")); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if h.Count(OpCreate) != 0 {
		t.Error("it was sent")
	}
}

type closeNoted struct {
	io.Reader
	closed bool
}

func (c *closeNoted) Close() error {
	c.closed = true
	return nil
}

func TestRoundTripperKeepsItsContract(t *testing.T) {
	t.Parallel()
	h := newHarness(t, Config{})
	body := &closeNoted{Reader: strings.NewReader(createBody("+34600000001"))}
	var seen []string
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		WroteHeaders:         func() { seen = append(seen, "headers") },
		WroteRequest:         func(httptrace.WroteRequestInfo) { seen = append(seen, "request") },
		GotFirstResponseByte: func() { seen = append(seen, "answer") },
	})
	request, _ := http.NewRequestWithContext(ctx, http.MethodPost, h.base+pathSessions, body)
	request.Header.Set("Authorization", "Bearer "+h.token)
	request.Header.Set("Content-Type", "application/json")
	response, err := h.to.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if !body.closed {
		t.Error("a RoundTripper must close the request's body")
	}
	if got := strings.Join(seen, ", "); got != "headers, request, answer" {
		t.Errorf("traced %s", got)
	}
	if response.Status != "201 Created" || response.Request != request || response.Header.Get("Content-Type") != "application/json" {
		t.Errorf("response %+v", response)
	}
	if len(request.Header) != 2 {
		t.Errorf("a RoundTripper must not change the request: %v", request.Header)
	}
	if r := h.Requests()[0]; r.Remote == "" || !bytes.Contains(r.Body, []byte("+34600000001")) {
		t.Errorf("remembered %+v", r)
	}
}

// As with http.Transport: who asks for gzip gets gzip.
func TestGzipIsTheClientsIfItAsksForIt(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ asks, first string }{{"", "  "}, {"gzip", "\x1f\x8b"}} {
		h := newHarness(t, Config{})
		h.Fail(Fault{Effect: GzipBomb()})
		request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, h.base+pathSessions, nil)
		request.Header.Set("Authorization", "Bearer "+h.token)
		if test.asks != "" {
			request.Header.Set("Accept-Encoding", test.asks)
		}
		response, err := h.to.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		first := make([]byte, 2)
		_, err = io.ReadFull(response.Body, first)
		response.Body.Close()
		if err != nil || string(first) != test.first || response.Uncompressed != (test.asks == "") {
			t.Errorf("asking for %q: %q, %v, uncompressed %v", test.asks, first, err, response.Uncompressed)
		}
	}
}
