package sandbox

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"syscall"
)

// memoryWire is a connection that carries one answer: the handler's
// ResponseWriter at one end and the client's response body at the other.
type memoryWire struct {
	ctx    context.Context // ends with the client, the body's Close or the sandbox
	hangUp context.CancelCauseFunc

	header   http.Header   // the handler's, until sent
	answered chan struct{} // closed when status and headers are sent, or never will be
	chunks   chan []byte   // of the body; closed after broken is set

	// Written before answered is closed.
	status     int // 0: cut before the answer
	sentHeader http.Header
	declared   int64 // Content-Length; -1: none

	written int64
	broken  error  // how the answer ended; io.EOF when all was well
	rest    []byte // read from chunks and not yet from the body
}

func newMemoryWire(ctx context.Context, hangUp context.CancelCauseFunc) *memoryWire {
	return &memoryWire{
		ctx: ctx, hangUp: hangUp, header: http.Header{}, declared: -1,
		answered: make(chan struct{}),
		// As a socket does, it holds an answer of the usual size unread.
		chunks: make(chan []byte, 16),
	}
}

// isAbort reports whether a handler gave up its connection, as net/http lets it.
func isAbort(thrown any) bool {
	err, ok := thrown.(error)
	return ok && errors.Is(err, http.ErrAbortHandler)
}

// carry runs the handler and says how its answer ended.
func (w *memoryWire) carry(handle func()) {
	whole := false
	defer func() {
		if thrown := recover(); thrown != nil && !isAbort(thrown) {
			panic(thrown)
		}
		switch {
		case w.broken != nil: // reset
		case w.status == 0:
			w.broken = io.EOF
		case w.written < w.declared, w.declared < 0 && !whole:
			w.broken = io.ErrUnexpectedEOF
		default:
			w.broken = io.EOF
		}
		if w.status == 0 {
			close(w.answered)
		}
		close(w.chunks)
	}()
	handle()
	whole = true
}

func (w *memoryWire) reset() {
	w.broken = &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
}

// Header, WriteHeader, Write and Flush make it an http.ResponseWriter.
func (w *memoryWire) Header() http.Header { return w.header }

func (w *memoryWire) WriteHeader(status int) {
	if w.status != 0 {
		return
	}
	w.sentHeader = http.Header{}
	for name, values := range w.header {
		if len(values) > 0 { // none: a header to be left out
			w.sentHeader[name] = slices.Clone(values)
		}
	}
	if length, err := strconv.ParseInt(w.sentHeader.Get("Content-Length"), 10, 64); err == nil {
		w.declared = length
	}
	if status == http.StatusNoContent {
		w.declared = 0
	}
	w.status = status
	close(w.answered)
}

func (w *memoryWire) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	select {
	case w.chunks <- slices.Clone(p):
		w.written += int64(len(p))
		return len(p), nil
	case <-w.ctx.Done():
		return 0, context.Cause(w.ctx)
	}
}

func (w *memoryWire) Flush() {}

// Read and Close make it the body of the client's response.
func (w *memoryWire) Read(p []byte) (int, error) {
	if err := context.Cause(w.ctx); err != nil {
		return 0, err
	}
	for len(w.rest) == 0 {
		select {
		case chunk, ok := <-w.chunks:
			if !ok {
				return 0, w.broken
			}
			w.rest = chunk
		case <-w.ctx.Done():
			return 0, context.Cause(w.ctx)
		}
	}
	n := copy(p, w.rest)
	w.rest = w.rest[n:]
	return n, nil
}

func (w *memoryWire) Close() error {
	w.hangUp(http.ErrBodyReadAfterClose)
	return nil
}

func statusLine(status int) string {
	return strconv.Itoa(status) + " " + http.StatusText(status)
}
