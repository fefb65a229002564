package provider

import (
	"testing"

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

const page = "<!DOCTYPE html><html><body>Please log in</body></html>"

// A failure of a refresh is an error that keeps the state, byte by byte, and says how to do without the
// refresh.
func TestSession_readFails(t *testing.T) {
	const other = `{"sessionId": "3fa85f64-5717-4562-b3fc-2c963f66afa6", "qosStatus": "AVAILABLE"}`
	effects := map[string]sandbox.Effect{
		"403":                      sandbox.Status(403, `{"code": "PERMISSION_DENIED"}`),
		"500":                      sandbox.Status(500, ""),
		"503 for a day":            sandbox.Status(503, "", "Retry-After", "86400"),
		"a redirect":               sandbox.Redirect(302, "https://login.example.com/"),
		"200 with a web page":      sandbox.Answer(200, "text/html", page),
		"200 with nothing":         sandbox.Answer(200, "application/json", ""),
		"200 with another session": sandbox.Answer(200, "application/json", other),
		"200 without an id":        sandbox.Answer(200, "application/json", `{"qosStatus": "UNAVAILABLE"}`),
		"200 with a list":          sandbox.Answer(200, "application/json", "["+other+"]"),
		"half an answer":           sandbox.Truncate(20),
	}
	w := newWorld(t, sandbox.Config{})
	c := w.core()
	made := c.created(hour(nil))
	for name, effect := range effects {
		w.Fail(sandbox.Fault{Operation: sandbox.OpRead, Effect: effect})
		read := c.refresh(made)
		if !read.is(made) {
			t.Errorf("%s: the state has changed to %v", name, read.values)
		}
		containsAll(t, read.errors(), []string{"Unable to Read QoS Session: ", "-refresh=false", "Session: " + made.text("id")})
	}
	if read := c.refresh(made); !read.is(made) || len(read.tfdiags) > 0 {
		t.Errorf("without a fault: %v; %s", read.values, printed(read.tfdiags))
	}
}

// State that Terraform wrote before it knew identities has none; a session that is gone, or not,
// is read all the same.
func TestSession_readWithoutIdentity(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	c := w.core()
	made := c.created(hour(nil))
	made.identity = nil
	if read := c.refresh(made); !read.is(made) || len(read.tfdiags) > 0 {
		t.Errorf("live: %v; %s", read.values, printed(read.tfdiags))
	}
	w.removeOld(made.text("id"))
	w.isNamedAsGone(w.core().refresh(made), made.text("id"))
}

// A DELETE that may not have worked keeps the session in state, since it may be billed; one of
// what is gone, or whose answer was lost, ends with the session gone.
func TestSession_deleteFails(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	c := w.core()
	made := c.created(hour(attrs{"timeouts": attrs{"delete": "1s"}}))
	for name, effect := range map[string]sandbox.Effect{
		"404 with a web page": sandbox.Status(404, page, "Content-Type", "text/html"),
		"403":                 sandbox.Status(403, `{"code": "PERMISSION_DENIED"}`),
		"500":                 sandbox.Status(500, ""),
		"a redirect":          sandbox.Redirect(307, "https://login.example.com/"),
		"a cut connection":    sandbox.DropBeforeCommit(),
	} {
		// As often as the client asks: net/http repeats by itself what never reached a server.
		w.Fail(sandbox.Fault{Operation: sandbox.OpDelete, Effect: effect, Times: -1})
		left := c.destroy(made)
		w.Heal()
		if !left.is(made) {
			t.Errorf("%s: the state has changed to %v", name, left.values)
		}
		containsAll(t, left.errors(), []string{"Unable to Delete QoS Session: ", "Session: " + made.text("id")})
		if ids := w.ids(); len(ids) != 1 {
			t.Fatalf("%s: the network has %v", name, ids)
		}
	}

	w.Fail(sandbox.Fault{Operation: sandbox.OpDelete, Effect: sandbox.StatusAfterCommit(500, "")})
	if left := c.destroy(made); left.values == nil || !refused(left.tfdiags) {
		t.Errorf("a lost answer: want an error, got %v; %s", left.values, printed(left.tfdiags))
	}
	w.isNamedAsGone(w.later().destroy(made), made.text("id"))
}

// A DELETE that is not answered ends with the time allowed, and keeps the session in state.
func TestSession_deleteTimesOut(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	c := w.core()
	made := c.created(hour(attrs{"timeouts": attrs{"delete": "300ms"}}))
	w.Fail(sandbox.Fault{Operation: sandbox.OpDelete, Effect: sandbox.HangBeforeCommit()})
	left := c.destroy(made)
	if !left.is(made) {
		t.Errorf("the state has changed to %v", left.values)
	}
	containsAll(t, left.errors(), []string{"Unable to Delete QoS Session: ", "in the time allowed", "Session: " + made.text("id")})
}

// A fault of the network at the one moment when a session could be lost, the answer to its POST,
// costs nothing: the session is found again and there is no second POST.
func TestSession_lostAnswer(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	c := w.core()
	w.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Effect: sandbox.DropAfterCommit()})
	made := c.created(hour(nil))
	if ids := w.ids(); len(ids) != 1 || made.text("id") != ids[0] || made.text("qos_status") != "AVAILABLE" {
		t.Errorf("state has %v, the network %v", made.values, ids)
	}
	if got := w.writes(); got != "POST" {
		t.Errorf("requests that change something: %s, want one POST", got)
	}
}
