package diagnostics

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
)

// server is whom a request was for: what sentences call it, the settings that say where it is, and
// whether they say what the API document does.
type server struct {
	name, settings string
	ofDocument     bool
}

const endpointSetting = "endpoint (QOD_ENDPOINT)"

const slowNetwork = "Try again later. If the network is slow, allow more time (request_timeout)."

// explainNoAnswer explains a request that got no answer: what stands between is named first.
func explainNoAnswer(s server, err error) message {
	text := fmt.Sprint(err)
	var dns *net.DNSError
	switch {
	case throughProxy(err):
		return explainProxy(s.name, err)
	case IsUntrusted(err):
		return explainUntrusted(s, err)
	case errors.Is(err, context.DeadlineExceeded):
		return message{cause: capital(s.name) + " did not answer in time.", remedy: slowNetwork}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return message{
			cause:  sentence("The connection to " + s.name + " was closed before an answer came: " + text),
			remedy: "Try again later. If the problem persists, check the network, its proxies and firewalls.",
		}
	case errors.As(err, &dns) && dns.IsNotFound:
		m := message{
			cause:  sentence(capital(s.name) + " could not be reached: " + text),
			remedy: "The host does not exist, or cannot be looked up from here. Check " + s.settings + " and this machine's DNS; behind a proxy, set HTTPS_PROXY.",
		}
		if s.ofDocument {
			m.remedy = joined(m.remedy, mayBeElsewhere)
		}
		return m
	case errors.Is(err, syscall.ECONNREFUSED):
		return message{
			cause:  sentence(capital(s.name) + " could not be reached: " + text),
			remedy: "Nothing accepts connections there. Check the host and port of " + s.settings + ", and firewalls; behind a proxy, set HTTPS_PROXY.",
		}
	}
	return message{
		cause:  sentence(capital(s.name) + " could not be reached: " + text),
		remedy: "Check " + s.settings + ", the network and its proxy settings (HTTPS_PROXY, NO_PROXY).",
	}
}

// mayBeElsewhere is advice where a host that the API document names does not answer for the API.
const mayBeElsewhere = "The host is that of Telefónica's API document, but your operator or channel partner may run the API elsewhere: " +
	"set endpoint (QOD_ENDPOINT) to what you were given."

// explainUntrusted says why TLS has failed, as far as the type of the error tells: on some systems,
// the platform checks certificates, and has only words for it.
func explainUntrusted(s server, err error) message {
	m := message{cause: sentence("No trusted connection to " + s.name + " could be made: " + fmt.Sprint(err))}
	var (
		unknown x509.UnknownAuthorityError
		host    x509.HostnameError
		invalid x509.CertificateInvalidError
		record  tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &unknown):
		m.remedy = "This machine does not know who has signed the certificate. Behind a proxy that inspects TLS, add the proxy's certificate authority to those of the system, " +
			"or name it in SSL_CERT_FILE; the same holds for an operator with an authority of its own. If there is neither, check " + s.settings + "."
	case errors.As(err, &host):
		m.remedy = "The certificate is for another host. Check the host of " + s.settings + ". If it is right, a proxy or the login page of a network has answered in its place: " +
			"check HTTPS_PROXY and NO_PROXY."
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		m.remedy = "Check this machine's clock. If it is right, the certificate has to be renewed: tell whoever runs that host."
	case errors.As(err, &record), strings.Contains(fmt.Sprint(err), "HTTP response to HTTPS client"):
		m.remedy = "Whatever listens there does not speak TLS. Check the port of " + s.settings + ". If it is right, a proxy or the login page of a network has answered in its place: " +
			"check HTTPS_PROXY and NO_PROXY."
	default:
		m.remedy = "Check " + s.settings + ". Behind a proxy that inspects TLS, add the proxy's certificate authority to those of the system, or name it in SSL_CERT_FILE."
	}
	return m
}

// IsUntrusted reports whether TLS has failed.
func IsUntrusted(err error) bool {
	text := fmt.Sprint(err)
	return strings.Contains(text, "tls: ") || strings.Contains(text, "x509: ") || strings.Contains(text, "HTTP response to HTTPS client")
}

func isErrno(err error) bool {
	_, ok := errors.AsType[syscall.Errno](err)
	return ok
}

// throughProxy reports whether it was a proxy that failed: it could not be reached, or would not
// connect.
func throughProxy(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && (op.Op == "proxyconnect" || strings.HasPrefix(op.Op, "socks")) || refusedByProxy(err) != 0
}

// refusedByProxy is the status with which a proxy refused to connect to an https host; 0 for
// anything else. Package net/http keeps only the text of it.
func refusedByProxy(err error) int {
	if err == nil {
		return 0
	}
	for status := http.StatusMultipleChoices; status < 600; status++ {
		if text := http.StatusText(status); text != "" && strings.EqualFold(err.Error(), text) {
			return status
		}
	}
	return 0
}

func explainProxy(whom string, err error) message {
	switch status := refusedByProxy(err); {
	case status == http.StatusProxyAuthRequired:
		return proxyAuthentication(whom)
	case status != 0:
		return message{
			cause:  fmt.Sprintf("The proxy (HTTPS_PROXY) refused to connect to %s: %s.", whom, statusText(status)),
			remedy: "Ask whoever runs the proxy to allow that host. If it can be reached without the proxy, name it in NO_PROXY.",
		}
	}
	proxy, reason := "The proxy", err
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Err != nil {
		reason = op.Err
		if dial, ok := errors.AsType[*net.OpError](op.Err); ok && dial.Addr != nil {
			proxy += " " + dial.Addr.String()
		}
	}
	return message{
		cause:  sentence(fmt.Sprintf("%s (HTTPS_PROXY) could not be reached on the way to %s: %v", proxy, whom, reason)),
		remedy: "Check HTTPS_PROXY. If the host can be reached without the proxy, name it in NO_PROXY.",
	}
}

// loginPortal explains a 511, with which the portal of a network asks for a login (RFC 6585 §6).
func loginPortal(whom string) message {
	return message{
		cause:  "This machine's network wants somebody to log in before it connects to " + whom + " (511 Network Authentication Required).",
		remedy: "Log in to the network's portal, or use another network.",
	}
}

func proxyAuthentication(whom string) message {
	return message{
		cause:  "The proxy (HTTPS_PROXY) wants a user name and password before it connects to " + whom + " (407 Proxy Authentication Required).",
		remedy: "Put them into HTTPS_PROXY, as in http://USER:PASSWORD@HOST:PORT. If the host can be reached without the proxy, name it in NO_PROXY.",
	}
}
