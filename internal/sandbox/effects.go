package sandbox

import (
	"bytes"
	"compress/gzip"
	"sync"
	"time"
)

// noFault answers normally.
var noFault = Effect{func(x *exchange) { x.send(x.commit()) }}

// Status answers without committing anything. header holds names and values in turn; Content-Type
// is JSON unless it is given.
func Status(code int, body string, header ...string) Effect {
	a := fixedAnswer(code, body, header)
	return Effect{func(x *exchange) { x.send(a) }}
}

// StatusAfterCommit commits, but then answers as if it had not, like a proxy that loses the 201 of
// its gateway.
func StatusAfterCommit(code int, body string, header ...string) Effect {
	a := fixedAnswer(code, body, header)
	return Effect{func(x *exchange) {
		x.commit()
		x.send(a)
	}}
}

// Answer commits and then sends this answer instead.
func Answer(code int, contentType, body string) Effect {
	return StatusAfterCommit(code, body, "Content-Type", contentType)
}

// Redirect redirects the client; nothing is committed.
func Redirect(code int, url string) Effect {
	return Status(code, "", "Location", url)
}

// Header commits and sends the normal answer with these headers, names and values in turn; an empty
// value removes the header, even Date.
func Header(header ...string) Effect {
	checkPairs(header)
	return Effect{func(x *exchange) { x.send(x.commit().with(header...)) }}
}

// Rewrite commits and sends the normal answer with the body that f returns, for example with a byte
// order mark, in another character set, or cut short.
func Rewrite(f func(body []byte) []byte) Effect {
	return Effect{func(x *exchange) {
		a := x.commit()
		a.body = f(a.body)
		x.send(a)
	}}
}

// DropBeforeCommit closes the connection without an answer; nothing is committed.
func DropBeforeCommit() Effect {
	return Effect{func(x *exchange) { x.drop() }}
}

// DropAfterCommit commits and closes the connection without an answer. To the client it looks like
// DropBeforeCommit.
func DropAfterCommit() Effect {
	return Effect{func(x *exchange) {
		x.commit()
		x.drop()
	}}
}

// Reset closes the connection with a TCP RST; nothing is committed.
func Reset() Effect {
	return Effect{func(x *exchange) { x.reset() }}
}

// Delay commits at once and answers after d of real time.
func Delay(d time.Duration) Effect {
	return Effect{func(x *exchange) {
		a := x.commit()
		x.pause(d)
		x.send(a)
	}}
}

// HangBeforeCommit commits nothing and never answers. It ends when the client gives up or the
// sandbox closes.
func HangBeforeCommit() Effect {
	return Effect{func(x *exchange) { x.hang() }}
}

// HangAfterCommit commits and never answers.
func HangAfterCommit() Effect {
	return Effect{func(x *exchange) {
		x.commit()
		x.hang()
	}}
}

// CommitLate never answers, and commits after d by the sandbox's clock, even if the client has
// given up by then.
func CommitLate(d time.Duration) Effect {
	return Effect{func(x *exchange) {
		x.clock.AfterFunc(d, func() {
			if x.closing.Err() == nil {
				x.commit()
			}
		})
		x.hang()
	}}
}

// HeadThenHang commits and sends the status, the headers and half of the body, and then nothing
// more.
func HeadThenHang() Effect {
	return Effect{func(x *exchange) {
		a := x.commit()
		x.start(a, len(a.body))
		x.write(a.body[:len(a.body)/2])
		x.flush()
		x.hang()
	}}
}

// Truncate commits, declares the length of the whole body, sends n bytes of it and closes the
// connection.
func Truncate(n int) Effect {
	return Effect{func(x *exchange) {
		a := x.commit()
		x.start(a, len(a.body))
		x.write(a.body[:min(n, len(a.body))])
		x.flush()
		x.drop()
	}}
}

// Duplicate commits twice, like a proxy that sends the request again. The client sees the second
// answer: for a create request, the 409 that its own session causes.
func Duplicate() Effect {
	return Effect{func(x *exchange) {
		x.commit()
		x.send(x.commit())
	}}
}

// Endless commits and answers with a body that never ends and that every decoder accepts: the
// blanks that may precede any JSON value.
func Endless() Effect {
	return Effect{func(x *exchange) {
		a := x.commit()
		x.start(a, -1)
		for x.write(blanks) {
		}
		x.drop()
	}}
}

// GzipBomb commits and answers with 1 MiB that decompresses to 1 GiB of blanks.
func GzipBomb() Effect {
	return Effect{func(x *exchange) {
		a := x.commit()
		x.start(a.with("Content-Encoding", "gzip"), -1)
		for range 1 << 10 {
			if !x.write(gzippedBlanks()) {
				x.drop()
			}
		}
	}}
}

var blanks = bytes.Repeat([]byte(" "), 32<<10)

// gzippedBlanks is 1 MiB of blanks in 1 KiB: a complete gzip member. Any number of members in a row
// is a valid stream (RFC 1952 §2.2).
var gzippedBlanks = sync.OnceValue(func() []byte {
	var packed bytes.Buffer
	packer := gzip.NewWriter(&packed)
	for range (1 << 20) / len(blanks) {
		_, _ = packer.Write(blanks) // a buffer takes everything
	}
	_ = packer.Close()
	return packed.Bytes()
})

// fixedAnswer is an answer that does not depend on the request.
func fixedAnswer(code int, body string, header []string) answer {
	checkPairs(header)
	a := answer{status: code, body: []byte(body)}
	return a.with("Content-Type", "application/json").with(header...)
}

func checkPairs(header []string) {
	if len(header)%2 != 0 {
		panic("sandbox: headers come in pairs of name and value")
	}
}
