package qod

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// connectionsPerHost is enough for Terraform's parallelism. By default, net/http keeps two idle
// connections per host, and would open a new one for nearly every request.
const connectionsPerHost = 256

// maxPing bounds how long a connection may be silent before it is pinged, and how long the answer
// to the ping may take.
const maxPing = 5 * time.Second

// newHTTPClient makes the one client for the API, the token endpoint and discovery. It follows no
// redirect: net/http would send the bearer token to another port or scheme of the host, and repeat
// a POST with its secrets at another host.
func newHTTPClient(transport http.RoundTripper, requestTimeout time.Duration) *http.Client {
	if transport == nil {
		transport = newTransport(requestTimeout)
	}
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// newTransport makes the client's own transport.
func newTransport(requestTimeout time.Duration) http.RoundTripper {
	return idleClosingTransport{limitConnections(pingingTransport(requestTimeout))}
}

// pingingTransport abandons connections which have gone silent: a NAT or load balancer that drops
// one does not say so, while new connections work.
//
// All requests share one HTTP/2 connection, so every retry would fail with it. Pings (RFC 9113
// §6.7) detect this within half of the request timeout, which leaves the other half to the next
// try.
func pingingTransport(requestTimeout time.Duration) *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // the standard library's own
	t.MaxIdleConns = 0
	t.MaxIdleConnsPerHost = connectionsPerHost
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	ping := min(maxPing, requestTimeout/4)
	t.HTTP2 = &http.HTTP2Config{SendPingTimeout: ping, PingTimeout: ping}
	return t
}

// idleClosingTransport closes the idle connections when a request times out. HTTP/1.1 has no pings,
// and what has silenced one connection has probably silenced them all: the retries would try them
// one by one.
type idleClosingTransport struct{ *connectionLimit }

// RoundTrip sends one request.
func (t idleClosingTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.connectionLimit.RoundTrip(req)
	if errors.Is(err, context.DeadlineExceeded) {
		t.CloseIdleConnections()
	}
	return resp, err
}

// isConnectionLost reports whether a connection was abandoned because a ping was not answered.
// net/http has no type for that error.
func isConnectionLost(err error) bool {
	return err != nil && strings.Contains(err.Error(), "http2: client connection lost")
}

// CheckURL reports why credentials must not be sent to a URL; an empty string means that they may.
// The URL has to be https, or http to this machine, and consist of scheme, host and path: userinfo,
// query and fragment would end up in logs.
func CheckURL(raw string) string {
	if i := strings.IndexFunc(raw, func(r rune) bool { return r <= ' ' || r == 0x7f }); i >= 0 {
		return "contains a space or a control character"
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return "is not a URL"
	case u.User != nil:
		return "contains a user name or password; credentials have attributes of their own"
	case u.Scheme == "" || u.Hostname() == "" || u.Opaque != "":
		return "is not an absolute URL such as https://host/path"
	case !validPort(u.Port()):
		return "has a port that is none from 1 to 65535"
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(raw, "#"):
		return "contains a query or fragment"
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return "uses http, which would send credentials unencrypted; use https (http is allowed to a loopback address only)"
	case u.Scheme != "https" && u.Scheme != "http":
		return "uses the scheme " + u.Scheme + "; use https"
	}
	return ""
}

func validPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return port == "" || err == nil && n > 0
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// isTLSFailure reports whether TLS failed, and not the network: a retry does not make a certificate
// valid.
func isTLSFailure(err error) bool {
	var (
		verification *tls.CertificateVerificationError
		authority    x509.UnknownAuthorityError
		hostname     x509.HostnameError
		invalid      x509.CertificateInvalidError
		record       tls.RecordHeaderError
	)
	return errors.As(err, &verification) || errors.As(err, &authority) || errors.As(err, &hostname) ||
		errors.As(err, &invalid) || errors.As(err, &record) ||
		// crypto/tls has no types for these two, where the versions have nothing in common.
		strings.Contains(err.Error(), "tls: protocol version not supported") ||
		strings.Contains(err.Error(), "tls: server selected unsupported protocol version")
}

// isHeaderSafe reports whether a value is allowed in a header. net/http would refuse it later, with
// a less helpful error.
func isHeaderSafe(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}
