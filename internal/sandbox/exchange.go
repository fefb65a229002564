package sandbox

import (
	"context"
	"crypto/tls"
	"maps"
	"net/http"
	"regexp"
	"strconv"
	"time"
)

// isCorrelator is what CAMARA allows a correlator to be, in answers too.
var isCorrelator = regexp.MustCompile(`\A[a-zA-Z0-9_:;./<>{}-]{0,256}\z`)

// exchange is one request and its answer.
type exchange struct {
	call
	commit  func() answer // carries out the request, each time it is called
	w       http.ResponseWriter
	latency time.Duration
	clock   Clock
	closing context.Context // done when the sandbox closes
	sent    func(status int)
	skew    func(Operation) time.Duration // of Date; called once
	dated   string

	noCorrelator bool // see definition
}

// send sends a complete answer.
func (x *exchange) send(a answer) {
	x.pause(x.latency)
	x.start(a, len(a.body))
	x.write(a.body)
}

// start sends the status and the headers. It declares no Content-Length if length is negative.
func (x *exchange) start(a answer, length int) {
	header := x.w.Header()
	// net/http would send the time of this machine.
	header.Set("Date", x.date())
	if correlator := x.request.Header.Get("X-Correlator"); correlator != "" && !x.noCorrelator && isCorrelator.MatchString(correlator) {
		header.Set("X-Correlator", correlator)
	}
	maps.Copy(header, a.header)
	if length >= 0 && a.status != http.StatusNoContent {
		header.Set("Content-Length", strconv.Itoa(length))
	}
	x.sent(a.status)
	x.w.WriteHeader(a.status)
}

// date is the Date of the answer by the sandbox's clock. It is the same every time.
func (x *exchange) date() string {
	if x.dated == "" {
		x.dated = x.clock.Now().Add(x.skew(x.op)).UTC().Format(http.TimeFormat)
	}
	return x.dated
}

// write writes to the body and reports whether the client still reads it.
func (x *exchange) write(p []byte) bool {
	if len(p) == 0 {
		return x.request.Context().Err() == nil
	}
	_, err := x.w.Write(p)
	return err == nil && x.closing.Err() == nil
}

func (x *exchange) flush() {
	// A ResponseWriter that cannot flush does not buffer.
	_ = http.NewResponseController(x.w).Flush()
}

// pause waits in real time until d is over, the client gives up or the sandbox closes.
func (x *exchange) pause(d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-x.request.Context().Done():
	case <-x.closing.Done():
	}
}

// hang keeps the client waiting until it gives up or the sandbox closes.
func (x *exchange) hang() {
	select {
	case <-x.request.Context().Done():
	case <-x.closing.Done():
	}
	x.drop()
}

// drop closes the connection without any further answer.
func (x *exchange) drop() {
	panic(http.ErrAbortHandler)
}

// reset closes the connection with a TCP RST.
func (x *exchange) reset() {
	connection, _, err := http.NewResponseController(x.w).Hijack()
	if err != nil {
		x.drop()
	}
	plain := connection
	if secured, ok := connection.(*tls.Conn); ok {
		plain = secured.NetConn()
	}
	if tcp, ok := plain.(interface{ SetLinger(int) error }); ok {
		_ = tcp.SetLinger(0) // Close then discards unsent data and sends RST
	}
	_ = connection.Close()
}
