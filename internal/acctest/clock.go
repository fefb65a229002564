package acctest

import (
	"cmp"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// KickOff is the time on the clocks of tests: when the match starts that their reservations are
// for, and where manual clocks begin. It is a leap day, in winter time.
var KickOff = time.Date(2028, 2, 29, 20, 15, 0, 0, time.UTC)

// replicaLag is a little more than the time by which replicas of an API may lag behind each other.
const replicaLag = 61 * time.Second

// NewNetworkAtMatch is a network on sockets, for what needs a real CLI, whose clock shows a time
// before kick-off, years ahead of the machine's.
func (p Provider) NewNetworkAtMatch(t *testing.T, before time.Duration, config sandbox.Config) *Network {
	t.Helper()
	t.Parallel() // first, because the clock runs on while a test waits for its turn
	config.Clock = sandbox.NewOffsetClock(KickOff.Add(-before))
	return p.StartNetwork(t, config)
}

// InBubble is a test in a bubble that begins at a time before kick-off. The bubble's time is the
// API's and the machine's alike, and passes only while everybody waits, so that waiting takes no
// time. A clock in the configuration, such as that of ClockAhead, is the API's alone.
func (p Provider) InBubble(before time.Duration, config sandbox.Config, test func(*testing.T, *Network)) func(*testing.T) {
	return func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			n := p.StartNetworkInBubble(t, config)
			n.Advance(KickOff.Add(-before).Sub(n.Clock.Now()))
			test(t, n)
		})
	}
}

// StartNetworkInBubble is a network without sockets, for a test that is in a bubble.
func (p Provider) StartNetworkInBubble(t *testing.T, config sandbox.Config) *Network {
	t.Helper()
	// Where nothing takes time, a list from before a POST is as young as one from after it.
	config.Latency = cmp.Or(config.Latency, 10*time.Millisecond)
	config.Clock = cmp.Or[sandbox.Clock](config.Clock, &sandbox.OffsetClock{})
	if config.Webhooks == nil {
		config.Webhooks = unreachable{} // sockets and the real DNS are outside of the bubble
	}
	network := sandbox.New(config)
	t.Cleanup(network.Close)
	return &Network{
		Server: &sandbox.Server{Sandbox: network}, T: t, Clock: bubbleClock{config.Clock},
		provider: p, endpoint: "https://gateway.example" + network.BasePath(), inMemory: true,
	}
}

// bubbleClock advances the bubble's time, and the API's with it.
type bubbleClock struct{ sandbox.Clock }

func (bubbleClock) Advance(d time.Duration) { time.Sleep(d) }

// unreachable answers no request.
type unreachable struct{}

func (unreachable) RoundTrip(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }

// ClockAhead is the clock of an API that is so far ahead of the machine's.
func ClockAhead(by time.Duration) *sandbox.OffsetClock {
	clock := &sandbox.OffsetClock{}
	clock.Advance(by)
	return clock
}

// Advance moves the network's clock forward.
func (n *Network) Advance(d time.Duration) {
	n.T.Helper()
	clock, ok := n.Clock.(interface{ Advance(d time.Duration) })
	if !ok {
		n.T.Fatalf("a %T cannot be advanced", n.Clock)
	}
	clock.Advance(d)
}

// AtMatch moves the network's clock forward to a time after kick-off. What the test has taken until
// now counts.
func (n *Network) AtMatch(after time.Duration) {
	n.T.Helper()
	by := KickOff.Add(after).Sub(n.Clock.Now())
	if by < -clockTolerance {
		n.T.Fatalf("the clock does not go back by %s", -by)
	}
	n.Advance(max(0, by))
}

// clockTolerance is how far the clock of a network may run on by itself, on a busy machine, between
// two steps of a test that takes it to stand still.
const clockTolerance = 5 * time.Second

// AdvancePastLag advances the clock until every replica of the API has to know the sessions there
// are: a 404 for a younger session proves nothing, and the provider would wait for a real minute.
// This helps only a provider process that has not made the sessions itself, as those go by the
// network's clock: see ClientPastLag.
func (n *Network) AdvancePastLag() {
	n.T.Helper()
	n.Advance(replicaLag)
}

// ClientPastLag is the provider process of a run that is more than a minute later.
func (n *Network) ClientPastLag() *ProtocolClient {
	n.T.Helper()
	n.AdvancePastLag()
	return n.Client()
}
