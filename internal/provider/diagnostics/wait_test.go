// What people read about the wait for a session.

package diagnostics

import (
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

var waitFailures = map[string]failure{
	"wait/unavailable":          {make: waited(false, func(b *bubble, id string) { b.Revoke(id) })},
	"wait/unavailable, resumed": {make: waited(true, func(b *bubble, id string) { b.Revoke(id) })},
	"wait/gone":                 {make: waited(false, func(b *bubble, id string) { b.Remove(id) })},
	"wait/gone, resumed":        {make: waited(true, func(b *bubble, id string) { b.Remove(id) })},
	"wait/too long":             {make: waited(false, func(*bubble, string) {})},
	"wait/too long, resumed":    {make: waited(true, func(*bubble, string) {})},
	"wait/too long, failing":    {make: waited(false, func(b *bubble, _ string) { b.fail(sandbox.OpRead, -1, sandbox.Status(503, "")) })},
	"wait/too long, failing, resumed": {make: waited(true, func(b *bubble, _ string) {
		b.fail(sandbox.OpRead, -1, sandbox.Status(503, `{"code":"UNAVAILABLE","message":"Maintenance"}`))
	})},
	"wait/interrupted":               {make: waited(false, func(b *bubble, _ string) { b.interruptAfter(time.Second) })},
	"wait/interrupted, resumed":      {make: waited(true, func(b *bubble, _ string) { b.interruptAfter(time.Second) })},
	"wait/denied":                    {make: waited(false, disabled)},
	"wait/denied, resumed":           {make: waited(true, disabled)},
	"wait/too long, without a token": {make: waited(false, func(b *bubble, _ string) { b.fail(sandbox.OpRead, -1, sandbox.Status(401, "")) })},
	"wait/too long, without a token, resumed": {make: waited(true, func(b *bubble, _ string) {
		b.fail(sandbox.OpToken, -1, sandbox.Status(403, webPage, "Content-Type", "text/html"))
	})},
	"wait/not configured yet": {make: func(*bubble) diag.Diagnostics {
		err := &UnknownConfigurationError{[]string{"endpoint"}}
		return one(ResumeFailed(err))
	}},
}
