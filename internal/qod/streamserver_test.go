package qod_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc/test/bufconn"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// streamServer is a sandbox behind TLS and HTTP/2, written frame by frame: net/http's own server
// cannot fail in the ways that proxies do.
type streamServer struct {
	network  *sandbox.Sandbox
	listener *bufconn.Listener
	// fault decides how a request fails; nil, or a nil result, for not.
	fault func(*http.Request) *streamFault

	mu          sync.Mutex
	requests    []string // as they came in: method and path
	connections []*streamConn
}

// streamFault replaces an answer.
type streamFault struct {
	committed bool          // the network carries the request out first
	late      time.Duration // it carries it out so long after the fault
	inject    func(c *streamConn, stream uint32)
}

func resetStream(code http2.ErrCode) func(*streamConn, uint32) {
	return func(c *streamConn, stream uint32) {
		c.write(func() error { return c.framer.WriteRSTStream(stream, code) })
	}
}

// goAway says that the stream and all later ones were not processed.
func goAway(code http2.ErrCode) func(*streamConn, uint32) {
	return func(c *streamConn, stream uint32) {
		c.write(func() error { return c.framer.WriteGoAway(max(stream, 2)-2, code, nil) })
	}
}

// goAwayAndHangUp is goAway by a server that does not wait for requests in progress.
func goAwayAndHangUp(c *streamConn, stream uint32) {
	goAway(http2.ErrCodeNo)(c, stream)
	hangUp(c, stream)
}

func hangUp(c *streamConn, _ uint32) { _ = c.conn.Close() }

// goSilent keeps the connection open and no longer answers on it, not even pings.
func goSilent(c *streamConn, _ uint32) { c.silent.Store(true) }

// inStreamBubble runs f in a bubble with a streamServer and a client of it.
func inStreamBubble(
	t *testing.T, fault func(*http.Request) *streamFault, change func(*qod.Config), f func(t *testing.T, server *streamServer, n *qodtest.Network),
) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		server := newStreamServer(t, fault)
		f(t, server, clientOver(t, server.listener, "https", change))
	})
}

func newStreamServer(t *testing.T, fault func(*http.Request) *streamFault) *streamServer {
	t.Helper()
	s := &streamServer{network: sandbox.New(sandbox.Config{Latency: 10 * time.Millisecond}), fault: fault, listener: listenInMemory()}
	s.network.AcceptToken("ready", sandbox.DefaultClient.ID)
	config := trustedTLS()
	config.NextProtos = []string{"h2"}
	listener := tls.NewListener(s.listener, config)
	var served sync.WaitGroup
	served.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			served.Go(func() { s.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		s.mu.Lock()
		for _, c := range s.connections {
			_ = c.conn.Close()
		}
		s.mu.Unlock()
		served.Wait()
		s.network.Close()
	})
	return s
}

// seen are the requests so far, and over how many connections they came.
func (s *streamServer) seen() (requests []string, connections int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.requests...), len(s.connections)
}

// streamConn is the server's end of one connection.
type streamConn struct {
	conn   net.Conn
	framer *http2.Framer
	silent atomic.Bool

	mu      sync.Mutex // held for writing
	encoded bytes.Buffer
	encoder *hpack.Encoder
}

func (c *streamConn) write(frame func() error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.silent.Load() {
		_ = frame() // a client that is gone is no concern of the server's
	}
}

func (s *streamServer) serve(conn net.Conn) {
	defer conn.Close()
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(conn, preface); err != nil {
		return
	}
	c := &streamConn{conn: conn, framer: http2.NewFramer(conn, conn)}
	c.encoder = hpack.NewEncoder(&c.encoded)
	c.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	s.mu.Lock()
	s.connections = append(s.connections, c)
	s.mu.Unlock()
	c.write(func() error { return c.framer.WriteSettings() })

	var streams sync.WaitGroup
	defer streams.Wait()
	begun := map[uint32]*http.Request{}
	bodies := map[uint32]*bytes.Buffer{}
	for {
		frame, err := c.framer.ReadFrame()
		if err != nil {
			return
		}
		ended := false
		switch f := frame.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() {
				c.write(c.framer.WriteSettingsAck)
			}
		case *http2.PingFrame:
			if !f.IsAck() {
				c.write(func() error { return c.framer.WritePing(true, f.Data) })
			}
		case *http2.MetaHeadersFrame:
			begun[f.StreamID], bodies[f.StreamID], ended = requestOf(f), &bytes.Buffer{}, f.StreamEnded()
		case *http2.DataFrame:
			bodies[f.StreamID].Write(f.Data())
			ended = f.StreamEnded()
		}
		if ended {
			stream := frame.Header().StreamID
			r := begun[stream]
			r.Body = io.NopCloser(bodies[stream])
			streams.Go(func() { s.answer(c, stream, r) })
		}
	}
}

func requestOf(f *http2.MetaHeadersFrame) *http.Request {
	target, _ := url.Parse(f.PseudoValue("path"))
	r := &http.Request{
		Method: f.PseudoValue("method"), URL: target, Host: f.PseudoValue("authority"),
		RequestURI: f.PseudoValue("path"), Proto: "HTTP/2.0", ProtoMajor: 2, Header: http.Header{},
		RemoteAddr: "127.0.0.1:1",
	}
	for _, field := range f.RegularFields() {
		r.Header.Add(field.Name, field.Value)
	}
	r.ContentLength, _ = strconv.ParseInt(r.Header.Get("Content-Length"), 10, 64)
	return r
}

// answer processes a request, and answers it or fails.
func (s *streamServer) answer(c *streamConn, stream uint32, r *http.Request) {
	s.mu.Lock()
	s.requests = append(s.requests, r.Method+" "+r.URL.Path)
	s.mu.Unlock()
	var fault *streamFault
	if s.fault != nil {
		fault = s.fault(r)
	}
	if fault == nil {
		c.respond(stream, s.carryOut(r))
		return
	}
	if fault.committed && fault.late == 0 {
		s.carryOut(r)
	}
	fault.inject(c, stream)
	if fault.late > 0 {
		<-time.After(fault.late)
		s.carryOut(r)
	}
}

func (s *streamServer) carryOut(r *http.Request) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	s.network.Handler().ServeHTTP(recorder, r.WithContext(context.Background()))
	return recorder
}

func (c *streamConn) respond(stream uint32, answer *httptest.ResponseRecorder) {
	c.write(func() error {
		c.encoded.Reset()
		err := c.encoder.WriteField(hpack.HeaderField{Name: ":status", Value: strconv.Itoa(answer.Code)})
		for name, values := range answer.Header() {
			for _, value := range values {
				err = errors.Join(err, c.encoder.WriteField(hpack.HeaderField{Name: strings.ToLower(name), Value: value}))
			}
		}
		return errors.Join(err,
			c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: c.encoded.Bytes(), EndHeaders: true}),
			c.framer.WriteData(stream, true, answer.Body.Bytes()))
	})
}
