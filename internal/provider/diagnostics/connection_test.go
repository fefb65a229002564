// What people read about what stands between this machine and a server: the same at the API, the
// token endpoint and discovery.

package diagnostics

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// inBetween are the causes: an error of the network, or an answer that is not the server's.
var inBetween = map[string]struct {
	err    error
	answer sandbox.Effect
}{
	"dead proxy":                   {err: errDeadProxy},
	"proxy that does not exist":    {err: &net.OpError{Op: "proxyconnect", Net: "tcp", Err: &net.OpError{Op: "dial", Net: "tcp", Err: noSuchHost("proxy.example")}}},
	"proxy that refuses":           {err: errors.New(http.StatusText(http.StatusForbidden))}, // as package net/http has it
	"proxy that wants a password":  {err: errors.New(http.StatusText(http.StatusProxyAuthRequired))},
	"407":                          {answer: sandbox.Status(407, webPage, "Content-Type", "text/html")},
	"511":                          {answer: sandbox.Status(511, webPage, "Content-Type", "text/html")},
	"redirect to a login":          {answer: sandbox.Redirect(302, "https://login.example/sso?state=hunter2")},
	"login page":                   {answer: sandbox.Status(200, webPage, "Content-Type", "text/html")},
	"unknown authority":            {err: &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}},
	"certificate of another host":  {err: &tls.CertificateVerificationError{Err: x509.HostnameError{Certificate: &x509.Certificate{DNSNames: []string{"proxy.example"}}, Host: "gateway.example"}}},
	"expired certificate":          {err: &tls.CertificateVerificationError{Err: x509.CertificateInvalidError{Reason: x509.Expired, Detail: "current time 2028-02-29T20:15:00Z is after 2028-01-01T00:00:00Z"}}},
	"untrusted, in other words":    {err: errors.New("x509: “gateway.example” certificate is not trusted")}, // of macOS
	"no TLS":                       {err: tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}},
	"host that does not exist":     {err: &net.OpError{Op: "dial", Net: "tcp", Err: noSuchHost("gateway.example")}},
	"default host without address": {err: &net.OpError{Op: "dial", Net: "tcp", Err: noSuchHost("opengateway.telefonica.com")}},
	"nobody listens":               {err: &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}},
}

func noSuchHost(name string) error {
	return &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

// connectionFailures has each cause at each server.
func connectionFailures() map[string]failure {
	all := map[string]failure{}
	for place, at := range map[string]struct {
		client func(*qod.Config)
		op     sandbox.Operation
	}{
		"API":       {staticToken, sandbox.OpList},
		"token":     {tokenAt, sandbox.OpToken},
		"discovery": {nil, sandbox.OpDiscovery},
	} {
		for cause, happens := range inBetween {
			client := at.client
			if strings.HasPrefix(cause, "default host") {
				if place == "token" {
					continue // which has no default
				}
				client = func(c *qod.Config) {
					if c.Endpoint = qod.DefaultEndpoint; at.client != nil {
						at.client(c)
					}
				}
			}
			all["connection/"+cause+"/"+place] = failure{client: client, make: func(b *bubble) diag.Diagnostics {
				if happens.err != nil {
					b.transport = broken{happens.err}
				} else {
					b.fail(at.op, -1, happens.answer)
				}
				return b.list()
			}}
		}
	}
	return all
}

func atDefaultEndpoint(c *qod.Config) { c.Endpoint = qod.DefaultEndpoint }

var errDeadProxy = &net.OpError{Op: "proxyconnect", Net: "tcp", Err: &net.OpError{
	Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9}, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED),
}}

// The words about the API document are true only where its default API has the endpoint that the
// document names, and of that endpoint alone: elsewhere the host was chosen.
func TestMayBeElsewhere(t *testing.T) {
	t.Parallel()
	const developers = "https://sandbox.opengateway.telefonica.com/apigateway"
	for _, api := range qod.APIs() {
		for _, endpoint := range []string{qod.DefaultEndpoint, qod.SandboxEndpoint, qod.SandboxEndpoint + "/", developers, "https://gateway.example/v1"} {
			ofDocument := api == qod.OpenGateway && slices.Contains([]string{qod.DefaultEndpoint, qod.SandboxEndpoint, qod.SandboxEndpoint + "/"}, endpoint)
			for place, at := range map[string]struct {
				client func(*qod.Config)
				want   bool
			}{
				"API":       {staticToken, ofDocument},
				"discovery": {func(*qod.Config) {}, ofDocument},
				"token":     {func(c *qod.Config) { c.TokenURL = developers + "/token" }, false},
				"backchannel": {func(c *qod.Config) {
					c.Grant, c.TokenURL, c.BackchannelURL = qod.CIBA, developers+"/token", developers+"/bc-authorize"
				}, false},
			} {
				t.Run(strings.Join([]string{string(api), endpoint, place}, " "), func(t *testing.T) {
					t.Parallel()
					text := failure{client: func(c *qod.Config) {
						c.API, c.Endpoint = api, endpoint
						at.client(c)
					}, make: func(b *bubble) diag.Diagnostics {
						b.transport = broken{&net.OpError{Op: "dial", Net: "tcp", Err: noSuchHost("sandbox.opengateway.telefonica.com")}}
						return b.read()
					}}.happen(t)
					if got := strings.Contains(text, mayBeElsewhere); got != at.want {
						t.Errorf("got %t for the words about the document, want %t:\n%s", got, at.want, text)
					}
					if !strings.Contains(text, "DNS; behind a proxy, set HTTPS_PROXY") {
						t.Errorf("the text does not say what else it may be:\n%s", text)
					}
				})
			}
		}
	}
}
