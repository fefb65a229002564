// What people read about the want of an access token.

package diagnostics

import (
	"net"
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
	"token/refused, post": {client: authMethod(qod.ClientSecretPost), make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpToken, -1, sandbox.Status(401, refuses("invalid_client", "")))
		return b.list()
	}},
	"token/refused, key": {client: authMethod(qod.PrivateKeyJWT), make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpToken, -1, sandbox.Status(401, refuses("invalid_client", "The assertion has expired.")))
		return b.list()
	}},
	"token/a parameter is missing": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpToken, -1, sandbox.Status(400, refuses("invalid_request", "No audience parameter was provided.")))
		return b.list()
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
	"token/cut off": {client: tokenAt, make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpToken, -1, sandbox.DropBeforeCommit())
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
	"token/method that discovery does not offer": {make: func(b *bubble) diag.Diagnostics {
		b.Discovery(offers("private_key_jwt", "tls_client_auth"))
		b.fail(sandbox.OpToken, -1, sandbox.Status(401, `{"error":"invalid_client"}`))
		return b.list()
	}},
	"token/no method that the provider has": {make: func(b *bubble) diag.Diagnostics {
		b.Discovery(offers("tls_client_auth"))
		b.fail(sandbox.OpToken, -1, sandbox.Status(401, `{"error":"invalid_client"}`))
		return b.list()
	}},
	"token/key where discovery offers a secret": {client: authMethod(""), make: func(b *bubble) diag.Diagnostics {
		b.Discovery(offers("client_secret_post"))
		b.fail(sandbox.OpToken, -1, sandbox.Status(401, `{"error":"invalid_client"}`))
		return b.list()
	}},
	"token/401 of a page": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpToken, -1, sandbox.Status(401, "<html>Log in</html>", "Content-Type", "text/html"))
		return b.list()
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
	"token/unreachable": {client: tokenAt, make: func(b *bubble) diag.Diagnostics {
		b.transport = broken{&net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.EHOSTUNREACH)}}
		return b.list()
	}},
	"token/no answer in time": {client: tokenAt, make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpToken, -1, sandbox.HangBeforeCommit())
		return b.list()
	}},
	"discovery/proxy that does not exist": {make: func(b *bubble) diag.Diagnostics {
		b.transport = broken{&net.OpError{Op: "proxyconnect", Net: "tcp", Err: &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "proxy.example", IsNotFound: true}}}}
		return b.list()
	}},
	"discovery/403": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpDiscovery, -1, sandbox.Status(403, ""))
		return b.list()
	}},
	"discovery/404, at the default endpoint": {client: atDefaultEndpoint, make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpDiscovery, -1, sandbox.Status(404, ""))
		return b.list()
	}},
}

// offers makes a discovery document list these authentication methods.
func offers(methods ...any) func(map[string]any) {
	return func(d map[string]any) { d["token_endpoint_auth_methods_supported"] = methods }
}

func authMethod(method qod.AuthMethod) func(*qod.Config) {
	return func(c *qod.Config) {
		key, problem := qod.ParsePrivateKey(signingKey)
		if problem != "" {
			panic(problem)
		}
		c.AuthMethod, c.PrivateKey = method, key
	}
}

// signingKey is an Ed25519 key of no client.
const signingKey = `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIDx7NZDjR4rHV6eALhaGiWYU16n90htSkCccgn9UFd87
-----END PRIVATE KEY-----`

var headersFailures = map[string]failure{
	"headers/401": {client: headersAlone, make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpCreate, -1, sandbox.Status(401, `{"message":"Invalid API key hunter2-header"}`))
		b.fail(sandbox.OpList, -1, sandbox.Status(401, `{"message":"Invalid API key hunter2-header"}`))
		return b.create(wanted)
	}},
	"headers/401, before": {client: headersAlone, make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpList, -1, sandbox.Status(401, ""))
		_ = b.list()
		return b.list()
	}},
	"headers/403": {client: headersAlone, make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpList, -1, sandbox.Status(403, `{"message":"You are not subscribed to this API."}`))
		return b.list()
	}},
	"headers/404": {make: func(*bubble) diag.Diagnostics {
		return one(ReadingSession.GoneForUnknownClient(lostID, "https://gateway.example/v1 as headers"))
	}},
}

func headersAlone(c *qod.Config) {
	c.ClientID, c.ClientSecret, c.Headers = "", "", map[string]string{"X-API-Key": "hunter2-header"}
}

var missingCredentialsFailures = map[string]failure{
	"no credentials/create": {make: func(*bubble) diag.Diagnostics { return one(CreatingSession.CreateFailed(&MissingCredentialsError{})) }},
	"no credentials/read": {make: func(*bubble) diag.Diagnostics {
		return one(ReadingSession.ReadFailed(lostID, "", &MissingCredentialsError{}))
	}},
	"no credentials/read of a sandbox": {make: func(*bubble) diag.Diagnostics {
		return one(ReadingSession.ReadFailed(lostID, "http://127.0.0.1:33099/v1 as client stadium", &MissingCredentialsError{}))
	}},
	"no credentials/delete of a sandbox": {make: func(*bubble) diag.Diagnostics {
		return one(DeletingSession.DeleteFailed(lostID, "http://127.0.0.1:33099/v1 as client stadium", &MissingCredentialsError{}))
	}},
	"no credentials/delete": {make: func(*bubble) diag.Diagnostics {
		return one(DeletingSession.DeleteFailed(lostID, "", &MissingCredentialsError{}))
	}},
	"no credentials/list": {make: func(*bubble) diag.Diagnostics { return one(ListFailed(&MissingCredentialsError{})) }},
	"no credentials/window": {make: func(*bubble) diag.Diagnostics {
		return one(CreatingReservation.ClockUnknown(&MissingCredentialsError{}))
	}},
	"no credentials/status": {make: func(*bubble) diag.Diagnostics { return one(StatusUnknown(&MissingCredentialsError{})) }},
}
