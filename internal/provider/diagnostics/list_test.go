// What people read about lists and imports.

package diagnostics

import (
	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

var listFailures = map[string]failure{
	"list/401 for a static token, again": {client: staticToken, make: func(b *bubble) diag.Diagnostics {
		b.list()
		return b.list()
	}},
	"import/403": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpRead, -1, sandbox.Status(403, `{"code":"PERMISSION_DENIED","message":"Not yours"}`))
		_, err := b.Client.Read(b.ctx, qod.Ref{ID: lostID})
		return one(ImportingSession.ImportFailed(lostID, err))
	}},
	"import/403, a token for one device":     {client: byCIBA, make: importsAnother(sandbox.Status(403, `{"code":"PERMISSION_DENIED","message":"Not yours"}`))},
	"import/403, a token for one device, v1": {client: byCIBA, make: importsAnother(sandbox.Status(403, `{"code":"INVALID_TOKEN_CONTEXT","message":"Not yours"}`))},
	"import/404, a token for one device": {client: byCIBA, make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpList, -1, sandbox.Status(403, ""))
		return importsAnother(sandbox.Status(404, ""))(b)
	}},
	"import/unknown, a token for one device": {client: byCIBA, make: func(b *bubble) diag.Diagnostics {
		_, err := b.Client.Read(b.ctx, qod.Ref{ID: lostID, Device: camera1})
		return one(ImportingSession.ImportUnknown(lostID, b.Origin(), err))
	}},
	"import/another device": {make: func(b *bubble) diag.Diagnostics {
		b.Seed(sandbox.Session{ID: lostID, Device: tel})
		_, err := b.Client.Read(b.ctx, qod.Ref{ID: lostID, Device: qod.Device{PhoneNumber: "+34600000099"}})
		return one(ImportingSession.ImportFailed(lostID, err))
	}},
	"import/unknown": {make: func(b *bubble) diag.Diagnostics {
		_, err := b.Client.Read(b.ctx, qod.Ref{ID: lostID})
		return one(ImportingSession.ImportUnknown(lostID, b.Origin(), err))
	}},
	"list/520": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpList, -1, sandbox.Status(520, ""))
		return b.list()
	}},
	"list/404": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpList, -1, sandbox.Status(404, `{"message":"no Route matched with those values"}`))
		return b.list()
	}},
	"list/a part of it": {make: func(b *bubble) diag.Diagnostics {
		for range 3 {
			b.Seed(sandbox.Session{})
		}
		b.fail(sandbox.OpList, -1, sandbox.Partial(2))
		return b.incomplete()
	}},
	"list/of a cache": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpList, -1, sandbox.Header("Age", "120"))
		return b.incomplete()
	}},
	"list/a next page elsewhere": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpList, -1, sandbox.Header("Link", `<https://other.example/v1/qod/sessions?page=2>; rel="next"`))
		return b.incomplete()
	}},
	"list/302 to nowhere": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpList, -1, sandbox.Status(302, ""))
		return b.list()
	}},
	"list/429 for a second, again and again": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpList, -1, sandbox.Status(429, "", "Retry-After", "1"))
		return b.list()
	}},
	"list/half an answer": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpList, -1, sandbox.HeadThenHang())
		return b.list()
	}},
	"list/200 html": {make: func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpList, -1, sandbox.Status(200, webPage, "Content-Type", "text/html"))
		return b.list()
	}},
}

// importsAnother is an import that names another device than the session's: the token is for that
// one.
func importsAnother(answer sandbox.Effect) func(b *bubble) diag.Diagnostics {
	return func(b *bubble) diag.Diagnostics {
		b.fail(sandbox.OpRead, -1, answer)
		_, err := b.Client.Read(b.ctx, qod.Ref{ID: lostID, Device: camera1})
		return one(ImportingSession.ImportFailed(lostID, err))
	}
}
