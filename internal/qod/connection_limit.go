package qod

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"
)

// maxDialDelay bounds how long a dial waits, in case the connection that it waits for never comes.
// It is enough for one whose first packet is lost: TCP repeats that after a second.
const maxDialDelay = 2 * time.Second

// connectionLimit is a transport that has no more connections to a host than there were ever
// requests at a time.
//
// net/http dials for a request that finds no idle connection, and gives it whichever comes first:
// the dialled connection, or one that becomes idle. In the second case the dial goes on, for
// whoever comes next; yet a request that comes before it ends makes net/http dial once more. Over
// HTTP/1.1, that is up to twice the connections. Here the second dial waits: where there are as
// many connections as there were ever requests, one is free, or will be.
type connectionLimit struct {
	*http.Transport
	mu      sync.Mutex
	changed *sync.Cond
	hosts   map[string]*hostLoad // by scheme and host
}

type hostLoad struct {
	requests    int  // whose answers have not been read
	most        int  // requests that there were at a time
	connections int  // open, or being dialled
	shared      bool // requests share a connection, by HTTP/2
}

// waitingRequest is what a dial is for. net/http hands it on in the context.
type waitingRequest struct {
	host    *hostLoad
	waiting bool // for a connection
}

type waitingRequestKey struct{}

func limitConnections(t *http.Transport) *connectionLimit {
	l := &connectionLimit{Transport: t, hosts: map[string]*hostLoad{}}
	l.changed = sync.NewCond(&l.mu)
	dial := t.DialContext
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		r, ok := ctx.Value(waitingRequestKey{}).(*waitingRequest)
		if !ok {
			return dial(ctx, network, address)
		}
		if !l.awaitDial(r) {
			return nil, errors.New("the request has another connection") // and so never gets this
		}
		closed := sync.OnceFunc(func() { l.update(func() { r.host.connections-- }) })
		conn, err := dial(ctx, network, address)
		if err != nil {
			closed()
			return nil, err
		}
		return &countedConn{conn, closed}, nil
	}
	return l
}

// awaitDial waits until a dial may begin. It reports whether the request still waits for one.
func (l *connectionLimit) awaitDial(r *waitingRequest) bool {
	late := false
	defer time.AfterFunc(maxDialDelay, func() { l.update(func() { late = true }) }).Stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	for r.waiting && !late && !r.host.shared && r.host.connections >= r.host.most {
		l.changed.Wait()
	}
	if r.waiting {
		r.host.connections++
	}
	return r.waiting
}

// RoundTrip sends one request.
func (l *connectionLimit) RoundTrip(req *http.Request) (*http.Response, error) {
	r := &waitingRequest{}
	l.update(func() {
		name := req.URL.Scheme + "://" + req.URL.Host
		if l.hosts[name] == nil {
			l.hosts[name] = &hostLoad{}
		}
		r.host = l.hosts[name]
		r.host.requests++
		r.host.most = max(r.host.most, r.host.requests)
	})
	ended := sync.OnceFunc(func() { l.update(func() { r.waiting = false; r.host.requests-- }) })
	// Both happen again where a kept connection turns out to be closed.
	ctx := httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GetConn: func(string) { l.update(func() { r.waiting = true }) },
		GotConn: func(httptrace.GotConnInfo) { l.update(func() { r.waiting = false }) },
	})
	resp, err := l.Transport.RoundTrip(req.WithContext(context.WithValue(ctx, waitingRequestKey{}, r)))
	if err != nil {
		ended()
		return nil, err
	}
	l.update(func() { r.host.shared = resp.ProtoMajor == 2 })
	resp.Body = &countedBody{resp.Body, ended}
	return resp, nil
}

func (l *connectionLimit) update(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
	l.changed.Broadcast()
}

type countedConn struct {
	net.Conn
	closed func()
}

func (c *countedConn) Close() error {
	defer c.closed()
	return c.Conn.Close()
}

type countedBody struct {
	io.ReadCloser
	ended func()
}

func (b *countedBody) Close() error {
	defer b.ended()
	return b.ReadCloser.Close()
}
