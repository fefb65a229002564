package sandbox

// StreamError is an HTTP/2 error code (RFC 9113 §7).
type StreamError uint32

// The codes with which proxies end streams. Envoy sends StreamProtocolError if the upstream answer
// is malformed. net/http resends requests that end with this code or with StreamRefused.
const (
	StreamProtocolError   StreamError = 0x1
	StreamInternalError   StreamError = 0x2
	StreamRefused         StreamError = 0x7
	StreamCancel          StreamError = 0x8
	StreamEnhanceYourCalm StreamError = 0xb
	StreamHTTP11Required  StreamError = 0xd
)

// Stream is implemented by the http.ResponseWriter of an HTTP/2 server, such as that of package
// tlsserver, to support the faults below. With any other ResponseWriter they do the closest
// equivalent.
type Stream interface {
	ResetStream(code StreamError) // sends RST_STREAM
	GoAway()                      // sends GOAWAY with a last stream id lower than this stream's
	GoSilent()                    // makes the connection accept everything and send nothing
}

// ResetStreamBeforeCommit ends the request's HTTP/2 stream with RST_STREAM; nothing is committed.
// Over HTTP/1.1 it is DropBeforeCommit.
func ResetStreamBeforeCommit(code StreamError) Effect {
	return Effect{func(x *exchange) { x.resetStream(code) }}
}

// ResetStreamAfterCommit commits and ends the stream with RST_STREAM.
func ResetStreamAfterCommit(code StreamError) Effect {
	return Effect{func(x *exchange) {
		x.commit()
		x.resetStream(code)
	}}
}

// GoAwayBeforeCommit sends a GOAWAY whose last stream id says that the request was not processed,
// which is true: nothing is committed. Over HTTP/1.1 it is DropBeforeCommit.
func GoAwayBeforeCommit() Effect {
	return Effect{func(x *exchange) { x.goAway() }}
}

// GoAwayAfterCommit commits and sends a GOAWAY that says that the request was not processed.
func GoAwayAfterCommit() Effect {
	return Effect{func(x *exchange) {
		x.commit()
		x.goAway()
	}}
}

// BlackHoleBeforeCommit makes the request's HTTP/2 connection silent, as if a router on the way had
// forgotten it: it accepts everything that is sent, including PING, and never answers, while new
// connections work. Nothing is committed, neither for this request nor for later ones on the
// connection. Over HTTP/1.1, where a connection carries one request at a time, it is
// HangBeforeCommit.
func BlackHoleBeforeCommit() Effect {
	return Effect{func(x *exchange) { x.blackHole() }}
}

// BlackHoleAfterCommit commits before the connection becomes silent.
func BlackHoleAfterCommit() Effect {
	return Effect{func(x *exchange) {
		x.commit()
		x.blackHole()
	}}
}

func (x *exchange) resetStream(code StreamError) {
	if stream, ok := x.w.(Stream); ok {
		stream.ResetStream(code)
	}
	x.drop()
}

func (x *exchange) goAway() {
	if stream, ok := x.w.(Stream); ok {
		stream.GoAway()
		x.hang() // the client ignores any answer
	}
	x.drop()
}

func (x *exchange) blackHole() {
	if stream, ok := x.w.(Stream); ok {
		stream.GoSilent()
	}
	x.hang()
}
