// What people read about the want of an access token.

package diagnostics

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"os"
	"syscall"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

var tokenFailures = map[string]failure{
	"token/refused": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpToken, -1, sandbox.Status(401, refuses("invalid_client", "The secret sandbox-secret is wrong.")))
		return b.create(wanted)
	}},
	"token/refused without a reason": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpToken, -1, sandbox.Status(401, webPage, "Content-Type", "text/html"))
		return b.list()
	}},
	"token/scopes": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpToken, -1, sandbox.Status(400, refuses("invalid_scope", "")))
		return b.list()
	}},
	"token/other refusal": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpToken, -1, sandbox.Status(400, refuses("unauthorized_client", "This client may not use this grant.")))
		return b.list()
	}},
	"token/5xx": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpToken, -1, sandbox.Status(502, webPage, "Content-Type", "text/html"))
		return b.list()
	}},
	"token/429": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpToken, -1, sandbox.Status(429, ""))
		return b.list()
	}},
	"token/web page": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpToken, -1, sandbox.Status(200, webPage, "Content-Type", "text/html"))
		return b.list()
	}},
	"token/cut off": {client: tokenAt, make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpToken, -1, sandbox.DropBeforeCommit())
		return b.list()
	}},
	"token/redirect": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpToken, -1, sandbox.Redirect(302, "https://login.example/sso"))
		return b.list()
	}},
	"discovery/404": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpDiscovery, -1, sandbox.Status(404, webPage, "Content-Type", "text/html"))
		return b.list()
	}},
	"discovery/5xx": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpDiscovery, -1, sandbox.Status(503, ""))
		return b.read()
	}},
	"discovery/http": {make: func(b *bubble) diag.Diagnostics {
		b.Discovery(func(d map[string]any) { d["token_endpoint"] = "http://gateway.example/token" })
		return b.list()
	}},
	"discovery/other issuer": {make: func(b *bubble) diag.Diagnostics {
		b.Discovery(func(d map[string]any) { d["issuer"] = "https://login.example/realms/qod" })
		return b.list()
	}},
	"discovery/no issuer": {make: func(b *bubble) diag.Diagnostics {
		b.Discovery(func(document map[string]any) {
			delete(document, "issuer")
			document["token_endpoint"] = "https://tokens.example/oauth/token"
		})
		return b.list()
	}},
	"discovery/DNS": {make: func(b *bubble) diag.Diagnostics {
		b.transport = broken{&net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "gateway.example", IsNotFound: true}}}
		return b.list()
	}},
	"discovery/TLS": {make: func(b *bubble) diag.Diagnostics {
		b.transport = broken{&tls.CertificateVerificationError{Err: x509.HostnameError{Certificate: &x509.Certificate{DNSNames: []string{"proxy.example"}}, Host: "gateway.example"}}}
		return b.list()
	}},
	"token/TLS": {client: tokenAt, make: func(b *bubble) diag.Diagnostics {
		b.transport = broken{&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}}
		return b.list()
	}},
	"token/unreachable": {client: tokenAt, make: func(b *bubble) diag.Diagnostics {
		b.transport = broken{&net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.EHOSTUNREACH)}}
		return b.list()
	}},
	"token/no answer in time": {client: tokenAt, make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpToken, -1, sandbox.HangBeforeCommit())
		return b.list()
	}},
	"token/proxy that refuses": {client: tokenAt, make: func(b *bubble) diag.Diagnostics {
		b.transport = broken{errDeadProxy}
		return b.list()
	}},
	"token/proxy that wants a password": {client: tokenAt, make: func(b *bubble) diag.Diagnostics {
		b.transport = broken{errors.New(http.StatusText(http.StatusProxyAuthRequired))} // as package net/http has it
		return b.list()
	}},
	"discovery/proxy that refuses": {make: func(b *bubble) diag.Diagnostics {
		b.transport = broken{errDeadProxy}
		return b.create(wanted)
	}},
	"discovery/proxy that does not exist": {make: func(b *bubble) diag.Diagnostics {
		b.transport = broken{&net.OpError{Op: "proxyconnect", Net: "tcp", Err: &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "proxy.example", IsNotFound: true}}}}
		return b.list()
	}},
	"discovery/proxy that wants a password": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpDiscovery, -1, sandbox.Status(407, webPage, "Content-Type", "text/html"))
		return b.list()
	}},
	"discovery/proxy that does not allow the host": {make: func(b *bubble) diag.Diagnostics {
		b.transport = broken{errors.New(http.StatusText(http.StatusForbidden))}
		return b.list()
	}},
	"discovery/login page": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpDiscovery, -1, sandbox.Status(200, webPage, "Content-Type", "text/html"))
		return b.list()
	}},
	"discovery/redirect": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpDiscovery, -1, sandbox.Redirect(302, "https://login.example/sso"))
		return b.list()
	}},
	"discovery/403": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpDiscovery, -1, sandbox.Status(403, ""))
		return b.list()
	}},
	"discovery/refused": {make: func(b *bubble) diag.Diagnostics {
		b.transport = broken{&net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}}
		return b.list()
	}},
	"discovery/DNS, at the default endpoint": {client: atDefaultEndpoint, make: func(b *bubble) diag.Diagnostics {
		b.transport = broken{&net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "opengateway.telefonica.com", IsNotFound: true}}}
		return b.list()
	}},
	"discovery/404, at the default endpoint": {client: atDefaultEndpoint, make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpDiscovery, -1, sandbox.Status(404, ""))
		return b.list()
	}},
	"discovery/a dead proxy, at the default endpoint": {client: atDefaultEndpoint, make: func(b *bubble) diag.Diagnostics {
		b.transport = broken{errDeadProxy}
		return b.list()
	}},
}

func atDefaultEndpoint(c *qod.Config) { c.Endpoint = qod.DefaultEndpoint }

var errDeadProxy = &net.OpError{Op: "proxyconnect", Net: "tcp", Err: &net.OpError{
	Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9}, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED),
}}
