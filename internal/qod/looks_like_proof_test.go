// Answers that look like proof but are none: another success status, a list that cannot be read,
// the code of a gateway, a refused token.
package qod_test

import (
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// The API document ends a delete with a 204. Another success status counts once the session is
// gone.
func TestDeleteIsEndedBy204Alone(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"empty": "", "an error": `{"status":500,"code":"INTERNAL","message":"no"}`, "a 404": `{"status":404,"code":"NOT_FOUND"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
				s := n.SeedSession(sandbox.Session{})
				n.InjectFault(sandbox.OpDelete, -1, sandbox.Status(200, body))
				if err := n.Delete(qodtest.WithTimeout(t, time.Minute), qod.Ref{ID: s.ID}); err == nil || qod.IsGone(err) {
					t.Errorf("a live session counts as deleted: %v", err)
				}
				n.Heal()
				n.InjectFault(sandbox.OpDelete, 1, sandbox.StatusAfterCommit(200, body))
				if err := n.Delete(qodtest.WithTimeout(t, time.Minute), qod.Ref{ID: s.ID}); err != nil {
					t.Errorf("a session that was deleted: %v", err)
				}
			})
		})
	}
}

// A 404, even with the API's own code, while lists cannot be read: the session is not gone.
func TestGoneByNoListThatCannotBeRead(t *testing.T) {
	t.Parallel()
	lists := map[string]sandbox.Effect{
		"null":                        sandbox.Status(200, "null"),
		"of null":                     sandbox.Status(200, "[null]"),
		"of other members":            sandbox.Status(200, `[{"id":"`+qodtest.SessionID+`"}]`),
		"of texts":                    sandbox.Status(200, `["`+qodtest.SessionID+`"]`),
		"a web page by its own word":  sandbox.Status(200, "[]", "Content-Type", qodtest.HTML),
		"not found, in the API's way": sandbox.Status(404, `{"status":404,"code":"NOT_FOUND","message":"no"}`),
	}
	for name, list := range lists {
		for verb, asker := range operationCases() {
			t.Run(verb+", a list "+name, func(t *testing.T) {
				t.Parallel()
				qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
					n.T = t
					s := n.SeedSession(sandbox.Session{Duration: 86400})
					time.Sleep(2 * time.Minute)
					n.InjectFault(sandbox.OpList, -1, list)
					n.InjectFault(asker.op, -1, sandbox.Status(404, `{"status":404,"code":"NOT_FOUND","message":"no"}`))
					if err := asker.ask(qodtest.WithTimeout(t, 100*time.Second), n, qod.Ref{ID: s.ID}); err == nil || qod.IsGone(err) {
						t.Errorf("a live session counts as gone: %v", err)
					}
				})
			})
		}
	}
}

// Without a list, only the API's own codes count. Gateways have others.
func TestGoneByNoCodeOfAGateway(t *testing.T) {
	t.Parallel()
	for code, gone := range map[string]bool{
		"NOT_FOUND": true, "SESSION_NOT_FOUND": true, "QUALITY_ON_DEMAND.SESSION_NOT_FOUND": true,
		"ROUTE_NOT_FOUND": false, "API_NOT_FOUND": false, "SERVICE_NOT_FOUND": false, "NOT_FOUND_ROUTE": false, "404": false, "": false,
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
				s := n.SeedSession(sandbox.Session{Duration: 86400})
				time.Sleep(2 * time.Minute)
				n.InjectFault(sandbox.OpList, -1, sandbox.Status(403, ""))
				n.InjectFault(sandbox.OpRead, -1, sandbox.Status(404, `{"code":"`+code+`","message":"no"}`))
				_, err := n.Read(t.Context(), qod.Ref{ID: s.ID})
				qodtest.Equal(t, "gone", qod.IsGone(err), gone)
			})
		})
	}
}

// A POST that was processed and then answered with a 401, while lists lag: its replay never
// succeeds with two sessions, and a conflict with the first one is not blamed on others.
func TestCreateBehindARefusedTokenAndAListThatLags(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]sandbox.Config{"several a device": {SeveralPerDevice: true}, "one a device": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{Sandbox: config}, func(t *testing.T, n *qodtest.Network) {
				n.Lag(sandbox.OpList, 3*time.Second)
				n.InjectFault(sandbox.OpCreate, 1, sandbox.StatusAfterCommit(401, ""))
				s, err := n.Create(qodtest.WithTimeout(t, 5*time.Minute), qodtest.Spec())
				made := len(n.Ledger())
				if made > 1 && !qodtest.IsError[*qod.UnresolvedError](err) {
					t.Errorf("%d sessions, and %v", made, err)
				}
				if made == 1 && s.ID == "" && !qodtest.IsError[*qod.UnresolvedError](err) {
					t.Errorf("one session that nobody has, and %v", err)
				}
			})
		})
	}
}
