// What people read where a device's user has to agree, or to have agreed.

package diagnostics

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

func byCIBA(c *qod.Config) { c.Grant = qod.CIBA }

func byJWTBearer(c *qod.Config) {
	authMethod("")(c)
	c.Grant, c.ClientSecret = qod.JWTBearer, ""
}

// knownKey registers the public key of signingKey for the client.
func knownKey(c *sandbox.Config) {
	block, _ := pem.Decode([]byte(signingKey))
	private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := private.(ed25519.PrivateKey)
	if err != nil || !ok {
		panic("the key is none")
	}
	c.Clients = []sandbox.ClientCredentials{{ID: sandbox.DefaultClient.ID, Keys: []jose.JSONWebKey{{Key: key.Public()}}}}
}

// consent has the user answer in this way.
func consent(answer sandbox.ConsentAnswer) func(*sandbox.Config) {
	return func(c *sandbox.Config) {
		c.Consent = func(sandbox.Device) sandbox.Consent { return sandbox.Consent{Answer: answer} }
	}
}

func (b *bubble) listOf(d qod.Device) diag.Diagnostics {
	_, err := b.List(b.ctx, qod.Filter{Device: d})
	return one(ListFailed(err))
}

// asks is an answer of an endpoint to a create.
func asks(op sandbox.Operation, status int, body string) func(b *bubble) diag.Diagnostics {
	return func(b *bubble) diag.Diagnostics {
		b.fail(op, -1, sandbox.Status(status, body))
		return b.create(wanted)
	}
}

var consentFailures = map[string]failure{
	"consent/denied":       {client: byCIBA, network: consent(sandbox.ConsentDeny), make: func(b *bubble) diag.Diagnostics { return b.create(wanted) }},
	"consent/denied, read": {client: byCIBA, network: consent(sandbox.ConsentDeny), make: (*bubble).read},
	"consent/never":        {client: byCIBA, network: consent(sandbox.ConsentNever), make: func(b *bubble) diag.Diagnostics { return b.create(wanted) }},
	"consent/unknown user": {client: byCIBA, network: consent(sandbox.ConsentUnknown), make: func(b *bubble) diag.Diagnostics { return b.create(wanted) }},
	"consent/Telefónica":   {client: byCIBA, make: asks(sandbox.OpBackchannel, 403, `{"code":403,"message":"User consent is missing"}`)},
	"consent/scope":        {client: byCIBA, make: asks(sandbox.OpBackchannel, 400, refuses("invalid_scope", "unknown scope"))},
	"consent/no openid":    {client: byCIBA, make: asks(sandbox.OpBackchannel, 400, refuses("invalid_request", "openid is missing"))},
	"consent/client":       {client: byCIBA, make: asks(sandbox.OpBackchannel, 401, refuses("invalid_client", ""))},
	"consent/grant":        {client: byCIBA, make: asks(sandbox.OpToken, 400, refuses("unauthorized_client", "The grant is not allowed."))},
	"consent/outage":       {client: byCIBA, make: asks(sandbox.OpBackchannel, 503, "")},
	"consent/no such path": {client: byCIBA, make: asks(sandbox.OpBackchannel, 404, webPage)},
	"consent/no id":        {client: byCIBA, make: asks(sandbox.OpBackchannel, 200, `{}`)},
	"consent/not discovered": {client: byCIBA, make: func(b *bubble) diag.Diagnostics {
		b.Discovery(func(d map[string]any) { delete(d, "backchannel_authentication_endpoint") })
		return b.create(wanted)
	}},
	"consent/timed out": {client: byCIBA, network: consent(sandbox.ConsentNever), make: func(b *bubble) diag.Diagnostics {
		b.limit(time.Minute)
		return b.create(wanted)
	}},
	"consent/timed out, delete": {client: byCIBA, network: consent(sandbox.ConsentNever), make: func(b *bubble) diag.Diagnostics {
		b.limit(time.Minute)
		return b.remove()
	}},
	"consent/interrupted": {client: byCIBA, network: consent(sandbox.ConsentNever), make: func(b *bubble) diag.Diagnostics {
		b.interruptAfter(time.Minute)
		return b.create(wanted)
	}},
	"consent/interrupted, read": {client: byCIBA, network: consent(sandbox.ConsentNever), make: func(b *bubble) diag.Diagnostics {
		b.interruptAfter(time.Minute)
		return b.read()
	}},
	"consent/interrupted, asked again": {client: byCIBA, network: func(c *sandbox.Config) {
		prompts := 0
		c.Consent = func(sandbox.Device) sandbox.Consent {
			prompts++
			return sandbox.Consent{After: time.Duration(prompts-1) * time.Minute}
		}
	}, make: func(b *bubble) diag.Diagnostics {
		b.interruptAfter(30 * time.Second)
		b.fail(sandbox.OpCreate, 1, sandbox.Status(401, ""))
		return b.create(wanted)
	}},
	"consent/refused again": {client: byCIBA, make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpRead, -1, sandbox.Status(401, ""))
		_ = b.read()
		return b.read()
	}},
	"consent/no device": {client: byCIBA, make: func(b *bubble) diag.Diagnostics {
		return b.listOf(qod.Device{NetworkAccessIdentifier: "camera@example.com"})
	}},
	"consent/no device of a session": {client: byCIBA, make: func(b *bubble) diag.Diagnostics {
		_, err := b.Client.Read(b.ctx, qod.Ref{ID: lostID})
		return one(ReadingSession.ReadFailed(lostID, "", err))
	}},
	"consent/assertion": {client: byJWTBearer, network: func(c *sandbox.Config) {
		knownKey(c)
		consent(sandbox.ConsentDeny)(c)
	}, make: func(b *bubble) diag.Diagnostics { return b.create(wanted) }},
	"consent/two servers": {client: byCIBA, make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpToken, -1, sandbox.Status(400, refuses("invalid_grant", "Unknown auth_req_id.")))
		return b.create(wanted)
	}},
	"consent/assertion, client refused": {client: byJWTBearer, network: knownKey, make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpToken, -1, sandbox.Status(401, refuses("invalid_client", "No such client.")))
		return b.create(wanted)
	}},
	"consent/assertion of another key": {client: byJWTBearer, make: func(b *bubble) diag.Diagnostics { return b.create(wanted) }},
}
