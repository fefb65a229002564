package sandbox

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// RoundTripper answers requests to any host in memory. It consists of net/http's own client and
// server over net.Pipe instead of sockets, so that under testing/synctest a client that waits for
// an answer is durably blocked and time can move; the sandbox must then be made inside the bubble.
//
// Each request has a connection of its own: net/http resends by itself a request whose reused
// connection a fault cuts, which would hide the fault from the test.
func (s *Sandbox) RoundTripper() http.RoundTripper { return s.inMemory.transport }

// inMemory is a server and the transport that is connected to it.
type inMemory struct {
	server    *http.Server
	transport *http.Transport

	accepted chan net.Conn
	closing  context.Context // done when the sandbox closes; no call's context
}

func newInMemory(closing context.Context, handler http.Handler) *inMemory {
	m := &inMemory{accepted: make(chan net.Conn), closing: closing}
	m.server = &http.Server{
		ReadHeaderTimeout: 10 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if p, _ := r.Context().Value(pipeKey{}).(pipe); p.secure {
				r.TLS = &tls.ConnectionState{}
			}
			handler.ServeHTTP(w, r)
		}),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, pipeKey{}, c)
		},
	}
	m.transport = &http.Transport{DisableKeepAlives: true, DialContext: m.dial, DialTLSContext: m.dialTLS}
	go func() { _ = m.server.Serve(m) }() // always returns the error of Accept
	return m
}

func (m *inMemory) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	return m.connect(ctx, false)
}

// dialTLS connects without TLS, which would only take time; the server takes the connection for one
// with TLS.
func (m *inMemory) dialTLS(ctx context.Context, _, _ string) (net.Conn, error) {
	return m.connect(ctx, true)
}

func (m *inMemory) connect(ctx context.Context, secure bool) (net.Conn, error) {
	client, server := net.Pipe()
	reset := new(atomic.Bool)
	select {
	case m.accepted <- pipe{Conn: server, reset: reset, secure: secure}:
		return pipe{Conn: client, reset: reset}, nil
	case <-m.closing.Done():
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Accept, Close and Addr implement net.Listener, for the server.
func (m *inMemory) Accept() (net.Conn, error) {
	select {
	case connection := <-m.accepted:
		return connection, nil
	case <-m.closing.Done():
		return nil, net.ErrClosed
	}
}

func (m *inMemory) Close() error { return nil }

func (m *inMemory) Addr() net.Addr { return nil }

// pipeKey is the key of a request's pipe in its context.
type pipeKey struct{}

// pipe is one end of a connection in memory.
type pipe struct {
	net.Conn
	secure bool         // stands for a TLS connection
	reset  *atomic.Bool // shared by both ends
}

// SetLinger(0) makes Close a TCP RST, as it does with a net.TCPConn.
func (p pipe) SetLinger(int) error {
	p.reset.Store(true)
	return nil
}

func (p pipe) Read(b []byte) (int, error) {
	n, err := p.Conn.Read(b)
	if errors.Is(err, io.EOF) && p.reset.Load() {
		err = &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	}
	return n, err
}
