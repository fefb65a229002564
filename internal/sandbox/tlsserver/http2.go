package tlsserver

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// maxFrame is the largest DATA frame that every client must accept (RFC 9113 §6.5.2).
const maxFrame = 16 << 10

// connection is a small HTTP/2 server (RFC 9113), because a handler of net/http's own cannot choose
// how a stream fails. It ignores the client's flow control, so an answer must fit into the window,
// which is 4 MiB with net/http.
type connection struct {
	conn    *tls.Conn
	state   tls.ConnectionState
	handler http.Handler
	frames  *http2.Framer
	streams map[uint32]*stream // used only by the reader

	mu      sync.Mutex // guards writing and silent
	silent  bool
	headers bytes.Buffer // the encoder writes to it
	encoder *hpack.Encoder
}

// serveHTTP2 returns when the connection has ended; net/http then closes it.
func serveHTTP2(conn *tls.Conn, handler http.Handler) {
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(conn, preface); err != nil || string(preface) != http2.ClientPreface {
		return
	}
	c := &connection{
		conn: conn, state: conn.ConnectionState(), handler: handler,
		frames: http2.NewFramer(conn, conn), streams: map[uint32]*stream{},
	}
	c.encoder = hpack.NewEncoder(&c.headers)
	c.frames.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	_ = c.write(func() error { return c.frames.WriteSettings() }) // if it fails, so does the reader
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for {
		frame, err := c.frames.ReadFrame()
		if err != nil && !errors.As(err, new(http2.StreamError)) {
			return
		}
		if err == nil && !c.isSilent() {
			c.take(ctx, frame)
		}
	}
}

func (c *connection) take(ctx context.Context, frame http2.Frame) {
	id := frame.Header().StreamID
	switch f := frame.(type) {
	case *http2.SettingsFrame:
		if !f.IsAck() {
			_ = c.write(c.frames.WriteSettingsAck)
		}
	case *http2.PingFrame:
		if !f.IsAck() {
			_ = c.write(func() error { return c.frames.WritePing(true, f.Data) })
		}
	case *http2.MetaHeadersFrame:
		c.streams[id] = c.open(ctx, f)
		c.serveIf(f.StreamEnded(), id)
	case *http2.DataFrame:
		if s := c.streams[id]; s != nil {
			s.body.Write(f.Data())
			c.serveIf(f.StreamEnded(), id)
		}
		if size := f.Length; size > 0 { // the client may send as much again
			_ = c.write(func() error {
				return errors.Join(c.frames.WriteWindowUpdate(0, size), c.frames.WriteWindowUpdate(id, size))
			})
		}
	case *http2.RSTStreamFrame:
		if s := c.streams[id]; s != nil {
			s.cancel()
		}
	}
}

// open returns a stream with the request that the headers describe.
func (c *connection) open(ctx context.Context, f *http2.MetaHeadersFrame) *stream {
	s := &stream{connection: c, id: f.StreamID, header: http.Header{}}
	s.ctx, s.cancel = context.WithCancel(ctx)
	target, err := url.ParseRequestURI(f.PseudoValue("path"))
	if err != nil {
		target = &url.URL{Path: f.PseudoValue("path")}
	}
	s.request = (&http.Request{
		Method: f.PseudoValue("method"), URL: target, RequestURI: f.PseudoValue("path"), Host: f.PseudoValue("authority"),
		Proto: "HTTP/2.0", ProtoMajor: 2, Header: http.Header{}, Body: io.NopCloser(&s.body),
		RemoteAddr: c.conn.RemoteAddr().String(), TLS: &c.state,
	}).WithContext(s.ctx) //nolint:contextcheck // it is made of ctx
	for _, field := range f.RegularFields() {
		s.request.Header.Add(field.Name, field.Value)
	}
	return s
}

func (c *connection) serveIf(whole bool, id uint32) {
	if s := c.streams[id]; whole {
		s.request.ContentLength = int64(s.body.Len())
		go s.serve()
	}
}

// write writes one frame, or several that belong together, unless the connection is silent.
func (c *connection) write(frames func() error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.silent {
		return nil
	}
	return frames()
}

func (c *connection) isSilent() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.silent
}

// stream is one request, and the http.ResponseWriter of its answer.
type stream struct {
	*connection
	id      uint32
	ctx     context.Context // the request's
	cancel  context.CancelFunc
	request *http.Request
	body    bytes.Buffer // of the request

	header http.Header
	status int  // 0: not sent yet
	ended  bool // END_STREAM or RST_STREAM is sent
}

var _ sandbox.Stream = (*stream)(nil)

func (s *stream) serve() {
	defer s.cancel()
	defer func() {
		if thrown := recover(); thrown == nil {
			s.WriteHeader(http.StatusOK)
			s.end(func() error { return s.frames.WriteData(s.id, true, nil) })
		} else if err, ok := thrown.(error); ok && errors.Is(err, http.ErrAbortHandler) {
			s.ResetStream(sandbox.StreamInternalError) // as net/http does
		} else {
			panic(thrown)
		}
	}()
	s.handler.ServeHTTP(s, s.request)
}

// end writes the last frame of the stream, if there was none yet.
func (s *stream) end(frame func() error) {
	if !s.ended {
		s.ended = true
		_ = s.write(frame)
	}
}

func (s *stream) Header() http.Header { return s.header }

func (s *stream) WriteHeader(status int) {
	if s.status != 0 || s.ended {
		return
	}
	s.status = status
	s.ended = status == http.StatusNoContent || s.header.Get("Content-Length") == "0"
	_ = s.write(func() error {
		s.headers.Reset()
		_ = s.encoder.WriteField(hpack.HeaderField{Name: ":status", Value: strconv.Itoa(status)}) // a buffer takes everything
		for name, values := range s.header {
			for _, value := range values {
				_ = s.encoder.WriteField(hpack.HeaderField{Name: strings.ToLower(name), Value: value})
			}
		}
		return s.frames.WriteHeaders(http2.HeadersFrameParam{
			StreamID: s.id, BlockFragment: s.headers.Bytes(), EndHeaders: true, EndStream: s.ended,
		})
	})
}

func (s *stream) Write(p []byte) (int, error) {
	s.WriteHeader(http.StatusOK)
	for rest := p; len(rest) > 0 && !s.ended; {
		chunk := rest[:min(len(rest), maxFrame)]
		rest = rest[len(chunk):]
		if err := errors.Join(s.ctx.Err(), s.write(func() error { return s.frames.WriteData(s.id, false, chunk) })); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// ResetStream, GoAway and GoSilent implement sandbox.Stream.
func (s *stream) ResetStream(code sandbox.StreamError) {
	s.end(func() error { return s.frames.WriteRSTStream(s.id, http2.ErrCode(code)) })
}

func (s *stream) GoAway() {
	s.end(func() error { return s.frames.WriteGoAway(s.id-1, http2.ErrCodeNo, nil) })
}

func (s *stream) GoSilent() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.silent = true
}
