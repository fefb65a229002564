package sandbox

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// TB is the part of *testing.T that Start needs, so that programs do not link package testing.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// Server is a sandbox that listens.
type Server struct {
	*Sandbox
	listener net.Listener
	http     *http.Server
	served   chan struct{}

	mu          sync.Mutex
	connections map[net.Conn]*connection
}

type connection struct {
	idle          bool // waits for the next request
	closeWhenIdle bool // must not wait for another request
}

// Start serves a sandbox on a free loopback port until the test ends.
func Start(t TB, c Config) *Server {
	t.Helper()
	server, err := Listen("127.0.0.1:0", c)
	if err != nil {
		t.Fatalf("sandbox: %v", err)
		return nil
	}
	t.Cleanup(server.Close)
	return server
}

// Listen serves a sandbox on a TCP address over plain HTTP. Anybody who can reach the address can
// use it, so it should be a loopback address. The error is that of net.Listen, or says that
// there is no such API.
//
//nolint:contextcheck // it lives until Close
func Listen(addr string, c Config) (*Server, error) {
	d, err := define(&c)
	if err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", addr)
	if err != nil {
		return nil, err
	}
	s := &Server{Sandbox: newSandbox(c, d), listener: listener, served: make(chan struct{}), connections: map[net.Conn]*connection{}}
	s.http = &http.Server{Handler: s.Handler(), ConnState: s.track, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		defer close(s.served)
		_ = s.http.Serve(listener) // always ends in ErrServerClosed
	}()
	return s, nil
}

// URL returns the origin, http://host:port without a path.
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() }

// Endpoint returns the value for the provider's endpoint attribute.
func (s *Server) Endpoint() string { return s.URL() + s.BasePath() }

// TokenURL returns the token endpoint, which discovery names too.
func (s *Server) TokenURL() string { return s.URL() + pathToken }

// Close stops listening, closes all connections and closes the sandbox.
func (s *Server) Close() {
	s.startClosing()
	// The connections are closed first, because a request may be blocked writing to one.
	_ = s.http.Close()
	<-s.served
	s.wait()
}

// CloseIdle closes the current connections: idle ones at once, the others after their answer.
// Servers do so after a while; a client that then reuses such a connection gets no answer.
func (s *Server) CloseIdle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for conn, c := range s.connections {
		c.closeWhenIdle = true
		if c.idle {
			_ = conn.Close()
		}
	}
}

func (s *Server) track(conn net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch state {
	case http.StateNew:
		s.connections[conn] = &connection{}
	case http.StateActive, http.StateIdle:
		c := s.connections[conn]
		c.idle = state == http.StateIdle
		if c.idle && c.closeWhenIdle {
			_ = conn.Close()
		}
	default:
		delete(s.connections, conn)
	}
}
