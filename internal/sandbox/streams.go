package sandbox

// StreamError is an HTTP/2 error code (RFC 9113 §7).
type StreamError uint32

// What proxies end streams with. Envoy sends StreamProtocolError for an answer from behind it that is
// malformed; net/http repeats by itself what ends with that or with StreamRefused.
const (
	StreamProtocolError   StreamError = 0x1
	StreamInternalError   StreamError = 0x2
	StreamRefused         StreamError = 0x7
	StreamCancel          StreamError = 0x8
	StreamEnhanceYourCalm StreamError = 0xb
	StreamHTTP11Required  StreamError = 0xd
)

// Stream is what the http.ResponseWriter of an HTTP/2 server has to be for the faults below: that of
// package tlsserver is one. Where the answer goes out on anything else, they do what comes closest.
type Stream interface {
	ResetStream(code StreamError) // sends RST_STREAM
	GoAway()                      // sends GOAWAY with a last stream id lower than this stream's
	GoSilent()                    // has the connection take what comes and say nothing any more
}

// ResetStreamBeforeCommit ends the request's HTTP/2 stream with RST_STREAM; nothing is done. Over
// HTTP/1.1 it is DropBeforeCommit.
func ResetStreamBeforeCommit(code StreamError) Effect {
	return Effect{func(x *exchange) { x.resetStream(code) }}
}

// ResetStreamAfterCommit does what is asked for and ends the stream with RST_STREAM.
func ResetStreamAfterCommit(code StreamError) Effect {
	return Effect{func(x *exchange) {
		x.commit()
		x.resetStream(code)
	}}
}

// GoAwayBeforeCommit sends GOAWAY whose last stream id claims that the request was not processed, and
// indeed nothing is done. Over HTTP/1.1 it is DropBeforeCommit.
func GoAwayBeforeCommit() Effect {
	return Effect{func(x *exchange) { x.goAway() }}
}

// GoAwayAfterCommit does what is asked for and sends a GOAWAY that claims that it was not.
func GoAwayAfterCommit() Effect {
	return Effect{func(x *exchange) {
		x.commit()
		x.goAway()
	}}
}

// BlackHoleBeforeCommit has the request's HTTP/2 connection go silent, as when a router on the way
// forgets it: it takes all that is sent on it, PING too, and answers nothing, while new connections
// work. Nothing is done, of this request or of later ones on the connection. Over HTTP/1.1, where a
// connection has one request at a time, it is HangBeforeCommit.
func BlackHoleBeforeCommit() Effect {
	return Effect{func(x *exchange) { x.blackHole() }}
}

// BlackHoleAfterCommit does what is asked for before the connection goes silent.
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
		x.hang() // the client has no use for an answer
	}
	x.drop()
}

func (x *exchange) blackHole() {
	if stream, ok := x.w.(Stream); ok {
		stream.GoSilent()
	}
	x.hang()
}
