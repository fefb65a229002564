package sandbox

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptrace"
)

// RoundTripper answers requests to any host in memory. It uses no sockets,
// only channels and contexts, so that under testing/synctest a client that
// waits for it is durably blocked and time can move; the sandbox must then be
// made inside the bubble. A connection cut by a fault or by Close is io.EOF before
// the answer and io.ErrUnexpectedEOF within its body, a reset one ECONNRESET.
// The hooks of net/http/httptrace that need no socket are called.
func (s *Sandbox) RoundTripper() http.RoundTripper { return memory{s} }

type memory struct{ sandbox *Sandbox }

// RoundTrip answers one request.
func (m memory) RoundTrip(request *http.Request) (*http.Response, error) {
	ctx, hangUp := context.WithCancelCause(request.Context())
	body, err := contentOf(request)
	if err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		hangUp(err)
		return nil, err
	}
	wire := newMemoryWire(ctx, hangUp)
	release := context.AfterFunc(m.sandbox.closing, func() { hangUp(io.ErrUnexpectedEOF) }) //nolint:contextcheck // the sandbox ends apart from its clients
	told(request.Context(), wroteRequest)
	go func() {
		defer release()
		wire.carry(func() { m.sandbox.serve(wire, received(ctx, request, body)) })
	}()
	select {
	case <-wire.answered:
	case <-ctx.Done():
		if request.Context().Err() == nil { // the sandbox closes
			return nil, io.EOF
		}
		return nil, context.Cause(ctx)
	}
	if wire.status == 0 {
		hangUp(wire.broken)
		return nil, wire.broken
	}
	told(request.Context(), gotFirstByte)
	return wire.response(request), nil
}

// contentOf reads and closes a request's body, as every RoundTripper must.
func contentOf(request *http.Request) ([]byte, error) {
	if request.Body == nil {
		return nil, nil
	}
	defer request.Body.Close()
	return io.ReadAll(request.Body)
}

// received is the request as a server sees it.
func received(ctx context.Context, sent *http.Request, body []byte) *http.Request {
	r := sent.Clone(ctx)
	r.RequestURI = sent.URL.RequestURI()
	r.RemoteAddr = "memory"
	if r.Host == "" {
		r.Host = sent.URL.Host
	}
	if sent.URL.Scheme == "https" {
		r.TLS = &tls.ConnectionState{}
	}
	r.ContentLength = int64(len(body))
	r.Body = io.NopCloser(bytes.NewReader(body))
	if r.Header == nil {
		r.Header = http.Header{}
	}
	if r.Header.Get("Accept-Encoding") == "" {
		r.Header.Set("Accept-Encoding", "gzip") // as http.Transport does
	}
	return r
}

// response is the answer as a client sees it.
func (w *memoryWire) response(request *http.Request) *http.Response {
	r := &http.Response{
		StatusCode: w.status, Status: statusLine(w.status),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.sentHeader, ContentLength: w.declared, Body: w, Request: request,
	}
	asked := request.Header.Get("Accept-Encoding")
	if asked == "" && w.sentHeader.Get("Content-Encoding") == "gzip" {
		// As http.Transport does for a client that did not ask for it itself.
		r.Header.Del("Content-Encoding")
		r.ContentLength, r.Uncompressed = -1, true
		r.Body = &unpacked{packed: w}
	}
	return r
}

// unpacked reads a gzip body, whose head may be long in coming.
type unpacked struct {
	packed io.ReadCloser
	reader *gzip.Reader
}

func (u *unpacked) Read(p []byte) (int, error) {
	if u.reader == nil {
		reader, err := gzip.NewReader(u.packed)
		if err != nil {
			return 0, err
		}
		u.reader = reader
	}
	return u.reader.Read(p)
}

func (u *unpacked) Close() error { return u.packed.Close() }

func told(ctx context.Context, tell func(*httptrace.ClientTrace)) {
	if trace := httptrace.ContextClientTrace(ctx); trace != nil {
		tell(trace)
	}
}

func wroteRequest(trace *httptrace.ClientTrace) {
	if trace.GotConn != nil {
		trace.GotConn(httptrace.GotConnInfo{})
	}
	if trace.WroteHeaders != nil {
		trace.WroteHeaders()
	}
	if trace.WroteRequest != nil {
		trace.WroteRequest(httptrace.WroteRequestInfo{})
	}
}

func gotFirstByte(trace *httptrace.ClientTrace) {
	if trace.GotFirstResponseByte != nil {
		trace.GotFirstResponseByte()
	}
}
