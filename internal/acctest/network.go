package acctest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// Network is the sandbox of one test. Its ledger of live sessions is the truth that a test compares
// Terraform's state with.
type Network struct {
	*sandbox.Server

	T     *testing.T
	Clock sandbox.Clock

	provider Provider
	endpoint string // where the provider finds the API
	inMemory bool   // it has no sockets, and lives in a bubble
}

// NewNetwork starts a sandbox for a test that runs in parallel with others. Without a clock in its
// configuration it runs a minute behind this machine, so that it is right after AdvancePastLag.
func (p Provider) NewNetwork(t *testing.T, config sandbox.Config) *Network {
	t.Helper()
	t.Parallel()
	if config.Clock == nil {
		config.Clock = sandbox.NewOffsetClock(time.Now().Add(-replicaLag))
	}
	return p.StartNetwork(t, config)
}

// StartNetwork is NewNetwork for a test that is parallel already, or must not be.
func (p Provider) StartNetwork(t *testing.T, config sandbox.Config) *Network {
	t.Helper()
	server := sandbox.Start(t, config)
	return &Network{Server: server, T: t, Clock: config.Clock, provider: p, endpoint: server.Endpoint()}
}

// NetworkServedAt is the network of a sandbox that something else serves, such as a server with
// TLS.
func (p Provider) NetworkServedAt(t *testing.T, network *sandbox.Sandbox, endpoint string) *Network {
	t.Helper()
	return &Network{Server: &sandbox.Server{Sandbox: network}, T: t, provider: p, endpoint: endpoint}
}

// Endpoint is where the provider finds the API.
func (n *Network) Endpoint() string { return n.endpoint }

// server is a provider that has yet to be configured, and whose environment is empty.
func (n *Network) server() tfprotov6.ProviderServer {
	var transport http.RoundTripper
	if n.inMemory {
		transport = n.RoundTripper()
	}
	return n.provider(emptyEnvironment, transport, nil)
}

// Factories are the provider for a resource.TestCase.
func (n *Network) Factories() map[string]func() (tfprotov6.ProviderServer, error) {
	return n.provider.Factories()
}

// SessionIDs are the ids of the live sessions that the provider's client has, sorted.
func (n *Network) SessionIDs() []string {
	var ids []string
	for _, s := range n.Ledger() {
		if s.ClientID == sandbox.DefaultClient.ID {
			ids = append(ids, s.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

// Writes are the methods of the requests so far that change something, in order: "POST DELETE
// POST". A POST that extends a session is EXTEND.
func (n *Network) Writes() string {
	var methods []string
	for _, r := range n.Requests(sandbox.OpCreate, sandbox.OpDelete, sandbox.OpExtend) {
		if r.Operation == sandbox.OpExtend {
			r.Method = "EXTEND"
		}
		methods = append(methods, r.Method)
	}
	return strings.Join(methods, " ")
}

// InjectFault has an operation fail so many times; -1 is for ever.
func (n *Network) InjectFault(op sandbox.Operation, times int, effect sandbox.Effect) {
	n.Fail(sandbox.Fault{Operation: op, Times: times, Effect: effect})
}

// OnRequest runs f in the middle of the nth request of an operation, before the network handles it.
func (n *Network) OnRequest(op sandbox.Operation, nth int, f func()) {
	n.Before(op, func(i int, _ *http.Request) {
		if i == nth {
			f()
		}
	})
}

// RemovePastLag ends sessions as somebody else might, once every replica of the API has to know
// them.
func (n *Network) RemovePastLag(ids ...string) {
	n.T.Helper()
	n.AdvancePastLag()
	for _, id := range ids {
		if !n.Remove(id) {
			n.T.Errorf("there is no session %s to remove", id)
		}
	}
}

// ExpectGoneWarning checks that a session has left the state before its end, and that the only
// diagnostic is the warning that names it in its summary.
func (n *Network) ExpectGoneWarning(left Result, id string) {
	n.T.Helper()
	warned := left.Warnings()
	if left.Values != nil || len(left.Diagnostics) != 1 || len(warned) != 1 ||
		!strings.HasPrefix(warned[0], "QoS Session "+id+" Gone Before Its End: ") {
		n.T.Errorf("the state has %v; diagnostics: %s", left.Values, Describe(left.Diagnostics))
	}
}

// HCL is the provider block for this network, followed by other blocks.
func (n *Network) HCL(blocks string) string { return n.ProviderHCL("") + blocks }

// ProviderHCL is the provider block for this network, with more attributes in it.
func (n *Network) ProviderHCL(more string) string {
	return fmt.Sprintf(`
provider "qod" {
  endpoint      = %q
  client_id     = %q
  client_secret = %q
  %s
}
`, n.Endpoint(), sandbox.DefaultClient.ID, sandbox.DefaultClient.Secret, n.apiHCL()+more)
}

// apiHCL selects the network's API, where that is not the default.
func (n *Network) apiHCL() string {
	if n.API() == sandbox.OpenGateway {
		return ""
	}
	return fmt.Sprintf("api = %q\n  ", n.API())
}
