package main

import (
	"io"
	"log"
	"regexp"
	"strconv"

	"github.com/google/uuid"

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// newRequestLog returns a log with one line per request. It never shows headers or bodies, which
// contain credentials, and it masks devices.
func newRequestLog(to io.Writer) func(sandbox.Request) {
	lines := log.New(to, "qod-sandbox: ", log.Ltime|log.Lmsgprefix)
	return func(r sandbox.Request) {
		lines.Printf("%s %s %s%s", quoted(r.Method), path(r), status(r), device(r))
	}
}

func status(r sandbox.Request) string {
	if r.Status == 0 {
		return "no answer"
	}
	return strconv.Itoa(r.Status)
}

// device shows the device that a request names, masked.
func device(r sandbox.Request) string {
	if r.Device == (sandbox.Device{}) {
		return ""
	}
	return " " + printable(r.Device.Masked())
}

// digits matches what could be a phone number.
var digits = regexp.MustCompile(`\d{3,}(\d\d)`)

// path shows the requested path. A session id is not a secret, but somebody may have put a phone
// number in its place.
func path(r sandbox.Request) string {
	if id := r.Path[max(0, len(r.Path)-36):]; uuid.Validate(id) == nil {
		return quoted(r.Path[:len(r.Path)-36]) + id
	}
	return quoted(digits.ReplaceAllString(r.Path, "…$1"))
}

// quoted keeps a client from forging log lines or writing terminal colours.
func quoted(s string) string {
	if q := strconv.Quote(s); q != `"`+s+`"` {
		return q
	}
	return s
}

func printable(s string) string {
	q := strconv.Quote(s)
	return q[1 : len(q)-1]
}
