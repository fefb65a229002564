package provider

import (
	"testing"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
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
	network := acc.NewNetwork(t, sandbox.Config{})
	c := network.Client()
	made := c.MustCreate(hour(nil))
	for name, effect := range effects {
		network.Fail(sandbox.Fault{Operation: sandbox.OpRead, Effect: effect})
		read := c.Refresh(made)
		if !read.Equal(made) {
			t.Errorf("%s: the state has changed to %v", name, read.Values)
		}
		acctest.ContainsAll(t, read.Errors(), []string{"Unable to Read QoS Session: ", "-refresh=false", "Session: " + made.Text("id")})
	}
	if read := c.Refresh(made); !read.Equal(made) || len(read.Diagnostics) > 0 {
		t.Errorf("without a fault: %v; %s", read.Values, acctest.Describe(read.Diagnostics))
	}
}

// State that Terraform wrote before it knew identities has none; a session that is gone, or not,
// is read all the same.
func TestSession_readWithoutIdentity(t *testing.T) {
	acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		c := network.Client()
		made := c.MustCreate(hour(nil))
		made.Identity = nil
		if read := c.Refresh(made); !read.Equal(made) || len(read.Diagnostics) > 0 {
			t.Errorf("live: %v; %s", read.Values, acctest.Describe(read.Diagnostics))
		}
		network.RemovePastLag(made.Text("id"))
		network.ExpectGoneWarning(network.Client().Refresh(made), made.Text("id"))
	})(t)
}

// A DELETE that may not have worked keeps the session in state, since it may be billed; one of
// what is gone, or whose answer was lost, ends with the session gone.
func TestSession_deleteFails(t *testing.T) {
	acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		c := network.Client()
		made := c.MustCreate(hour(attrs{"timeouts": attrs{"delete": "1s"}}))
		for name, effect := range map[string]sandbox.Effect{
			"404 with a web page": sandbox.Status(404, page, "Content-Type", "text/html"),
			"403":                 sandbox.Status(403, `{"code": "PERMISSION_DENIED"}`),
			"500":                 sandbox.Status(500, ""),
			"a redirect":          sandbox.Redirect(307, "https://login.example.com/"),
			"a cut connection":    sandbox.DropBeforeCommit(),
		} {
			// As often as the client asks: net/http repeats by itself what never reached a server.
			network.Fail(sandbox.Fault{Operation: sandbox.OpDelete, Effect: effect, Times: -1})
			left := c.Destroy(made)
			network.Heal()
			if !left.Equal(made) {
				t.Errorf("%s: the state has changed to %v", name, left.Values)
			}
			acctest.ContainsAll(t, left.Errors(), []string{"Unable to Delete QoS Session: ", "Session: " + made.Text("id")})
			if ids := network.SessionIDs(); len(ids) != 1 {
				t.Fatalf("%s: the network has %v", name, ids)
			}
		}

		network.Fail(sandbox.Fault{Operation: sandbox.OpDelete, Effect: sandbox.StatusAfterCommit(500, "")})
		if left := c.Destroy(made); left.Values == nil || !acctest.HasError(left.Diagnostics) {
			t.Errorf("a lost answer: want an error, got %v; %s", left.Values, acctest.Describe(left.Diagnostics))
		}
		network.ExpectGoneWarning(network.ClientPastLag().Destroy(made), made.Text("id"))
	})(t)
}

// A DELETE that is not answered ends with the time allowed, and keeps the session in state.
func TestSession_deleteTimesOut(t *testing.T) {
	acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		c := network.Client()
		made := c.MustCreate(hour(attrs{"timeouts": attrs{"delete": "300ms"}}))
		network.Fail(sandbox.Fault{Operation: sandbox.OpDelete, Effect: sandbox.HangBeforeCommit()})
		left := c.Destroy(made)
		if !left.Equal(made) {
			t.Errorf("the state has changed to %v", left.Values)
		}
		acctest.ContainsAll(t, left.Errors(), []string{"Unable to Delete QoS Session: ", "in the time allowed", "Session: " + made.Text("id")})
	})(t)
}

// A fault of the network at the one moment when a session could be lost, the answer to its POST,
// costs nothing: the session is found again and there is no second POST.
func TestSession_lostAnswer(t *testing.T) {
	acc.InBubble(0, sandbox.Config{}, func(t *testing.T, network *acctest.Network) {
		c := network.Client()
		network.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Effect: sandbox.DropAfterCommit()})
		made := c.MustCreate(hour(nil))
		if ids := network.SessionIDs(); len(ids) != 1 || made.Text("id") != ids[0] || made.Text("qos_status") != "AVAILABLE" {
			t.Errorf("state has %v, the network %v", made.Values, ids)
		}
		if got := network.Writes(); got != "POST" {
			t.Errorf("requests that change something: %s, want one POST", got)
		}
	})(t)
}
