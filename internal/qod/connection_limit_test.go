package qod

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

type plannedDial struct {
	takes time.Duration
	fails bool
}

type plannedRequest struct {
	at, works, reads time.Duration // when it is sent; how long the server works, and the client reads
	host             string        // empty: that of the others
	closes           bool          // the server closes the connection behind the answer
	cut              bool          // the server closes the connection instead of answering, the first time
	timeout          time.Duration // 0: none
}

// A dial waits while another connection is on its way, until that is there or turns out not to
// come. In the first cases, the second request gets the connection of the first, at 60 ms, while
// its own dial goes on; the third comes at 70 ms.
func TestConnectionLimit(t *testing.T) {
	t.Parallel()
	const ms, long = time.Millisecond, time.Minute
	dial, slowDial, endlessDial := plannedDial{takes: 10 * ms}, plannedDial{takes: 200 * ms}, plannedDial{takes: long}
	first, second, third := plannedRequest{works: 50 * ms}, plannedRequest{at: 20 * ms, works: 50 * ms}, plannedRequest{at: 70 * ms, works: 50 * ms}
	longSecond := plannedRequest{at: 20 * ms, works: long}
	for name, test := range map[string]struct {
		dials    []plannedDial // all that there are
		requests []plannedRequest
		ends     []time.Duration
	}{
		"another request ends": {
			[]plannedDial{dial, slowDial},
			[]plannedRequest{first, second, {at: 70 * ms, works: long}}, []time.Duration{60 * ms, 110 * ms, 110*ms + long},
		},
		"the dial ends": {
			[]plannedDial{dial, slowDial},
			[]plannedRequest{first, longSecond, third}, []time.Duration{60 * ms, 270 * ms, 60*ms + long},
		},
		"the dial fails": {
			[]plannedDial{dial, {takes: 200 * ms, fails: true}, dial},
			[]plannedRequest{first, longSecond, third}, []time.Duration{60 * ms, 280 * ms, 60*ms + long},
		},
		"the dial hangs": {
			[]plannedDial{dial, endlessDial, dial},
			[]plannedRequest{first, longSecond, third}, []time.Duration{60 * ms, 130*ms + maxDialDelay, 60*ms + long},
		},
		"a connection is closed": {
			[]plannedDial{dial, endlessDial, dial},
			[]plannedRequest{first, {at: 20 * ms, works: 50 * ms, closes: true}, third}, []time.Duration{60 * ms, 110 * ms, 170 * ms},
		},
		"the third gives up": {
			[]plannedDial{dial, endlessDial},
			[]plannedRequest{first, longSecond, {at: 70 * ms, timeout: 100 * ms}}, []time.Duration{60 * ms, 170 * ms, 60*ms + long},
		},
		"a fourth comes": {
			[]plannedDial{dial, endlessDial, dial},
			[]plannedRequest{first, longSecond, third, {at: 80 * ms, works: 50 * ms}}, []time.Duration{60 * ms, 140 * ms, 190 * ms, 60*ms + long},
		},
		"more come later": {
			[]plannedDial{dial, slowDial, dial},
			append([]plannedRequest{first, second, third}, slices.Repeat([]plannedRequest{{at: long, works: 50 * ms}}, 3)...),
			[]time.Duration{60 * ms, 110 * ms, 160 * ms, 50*ms + long, 50*ms + long, 60*ms + long},
		},
		"the third is for another host": {
			[]plannedDial{dial, endlessDial, dial},
			[]plannedRequest{first, longSecond, {at: 70 * ms, works: 50 * ms, host: "token."}}, []time.Duration{60 * ms, 130 * ms, 60*ms + long},
		},

		"all at once": {
			slices.Repeat([]plannedDial{slowDial}, 50),
			slices.Repeat([]plannedRequest{first}, 50), slices.Repeat([]time.Duration{250 * ms}, 50),
		},
		"while an answer is read": {
			[]plannedDial{dial, dial},
			[]plannedRequest{{works: 50 * ms, reads: long}, third}, []time.Duration{130 * ms, 60*ms + long},
		},
		"a kept connection is cut": {
			[]plannedDial{dial, dial},
			[]plannedRequest{first, {at: 70 * ms, works: 50 * ms, cut: true}}, []time.Duration{60 * ms, 130 * ms},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				dials, ends := sendPlanned(t, test.dials, test.requests)
				slices.Sort(ends)
				if dials != len(test.dials) || !slices.Equal(ends, test.ends) {
					t.Errorf("%d dials, want %d; the requests end at %v, want %v", dials, len(test.dials), ends, test.ends)
				}
			})
		})
	}
}

// A connection by HTTP/2 stays open for a while after the server has announced its end (GOAWAY, RFC
// 9113 §6.8), and takes no requests. The dial for the next one does not wait for that.
func TestConnectionLimitHTTP2(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const idle, announced = time.Minute, time.Second
		accepted := make(pipes)
		defer close(accepted)
		protocols := new(http.Protocols)
		protocols.SetUnencryptedHTTP2(true)
		server := &http.Server{ReadHeaderTimeout: time.Minute, IdleTimeout: idle, Protocols: protocols}
		go func() { _ = server.Serve(accepted) }() // always returns an error
		dialled := 0
		limit := limitConnections(&http.Transport{Protocols: protocols, DialContext: func(context.Context, string, string) (net.Conn, error) {
			dialled++
			client, conn := net.Pipe()
			accepted <- conn
			return client, nil
		}})
		for n := range 2 {
			began := time.Now()
			req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://api.example", http.NoBody)
			resp, err := limit.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if took := time.Since(began); took > 0 || dialled != n+1 {
				t.Errorf("request %d takes %v, and %d dials", n, took, dialled)
			}
			time.Sleep(idle + announced/2)
		}
		time.Sleep(announced)
	})
}

// pipes are connections in memory, as a server accepts them.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if conn, open := <-p; open {
		return conn, nil
	}
	return nil, net.ErrClosed
}

func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return nil }

// sendPlanned sends the requests. It returns how many dials that takes, and when the
// requests end.
func sendPlanned(t *testing.T, dials []plannedDial, requests []plannedRequest) (dialled int, ends []time.Duration) {
	t.Helper()
	began := time.Now()
	accepted := make(pipes)
	var seen sync.Map
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Path[1:])
		if _, again := seen.Swap(n, true); requests[n].cut && !again {
			panic(http.ErrAbortHandler)
		}
		time.Sleep(requests[n].works)
		if requests[n].closes {
			w.Header().Set("Connection", "close")
		}
		_, _ = io.WriteString(w, "answer")
	})}
	go func() { _ = server.Serve(accepted) }() // always returns an error

	var mu sync.Mutex
	limit := limitConnections(&http.Transport{
		MaxIdleConnsPerHost: len(requests),
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			mu.Lock()
			var d plannedDial
			if dialled < len(dials) {
				d = dials[dialled]
			}
			dialled++
			mu.Unlock()
			if time.Sleep(d.takes); d.fails {
				return nil, errors.New("no connection")
			}
			client, conn := net.Pipe()
			accepted <- conn
			return client, nil
		},
	})
	send := func(n int, r plannedRequest) error {
		time.Sleep(r.at)
		ctx, cancel := t.Context(), func() {}
		if r.timeout > 0 {
			ctx, cancel = context.WithTimeout(ctx, r.timeout)
		}
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.host+"api.example/"+strconv.Itoa(n), http.NoBody)
		if err != nil {
			return err
		}
		resp, err := limit.RoundTrip(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		time.Sleep(r.reads)
		_, err = io.ReadAll(resp.Body)
		return err
	}
	var sent sync.WaitGroup
	for n, r := range requests {
		sent.Go(func() {
			if err := send(n, r); err != nil && (r.timeout == 0 || !errors.Is(err, context.DeadlineExceeded)) {
				t.Errorf("request %d: %v", n, err)
			}
			mu.Lock()
			defer mu.Unlock()
			ends = append(ends, time.Since(began))
		})
	}
	sent.Wait()
	time.Sleep(time.Hour) // whatever is still going on has ended by then
	limit.CloseIdleConnections()
	close(accepted)
	return dialled, ends
}
