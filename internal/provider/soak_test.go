// Proves the first promise by chance: whatever configurations, windows, faults, revocations and
// interrupts come together, what is on the network is in the state or was announced; after a healed
// apply the network, the state and the configuration are the same (a reservation holds one session
// inside its window, and none outside); after a destroy the network is empty.
//
// The short length is part of the tests. The long one is "make soak": QOD_SOAK says how many
// sandboxes, QOD_SOAK_SEED repeats a run that failed.

package provider

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

const shortSoak = 40

func TestSoak(t *testing.T) {
	t.Parallel()
	sandboxes, seed := mustUint(t, "QOD_SOAK", shortSoak), mustUint(t, "QOD_SOAK_SEED", uint64(time.Now().UnixNano()))
	t.Logf("seed %d (repeat with QOD_SOAK_SEED)", seed)
	for i := range sandboxes {
		t.Run(fmt.Sprintf("%d", seed+i), func(t *testing.T) {
			t.Parallel()
			// In a bubble, minutes of lag, of retries and of waiting take no time.
			synctest.Test(t, func(t *testing.T) {
				random := rand.New(rand.NewPCG(seed+i, 0)) //nolint:gosec // chance that can be repeated
				config := sandbox.Config{
					TokenLifetime:    []time.Duration{time.Hour, 2 * time.Second}[random.IntN(2)],
					Provisioning:     []time.Duration{0, 3 * time.Second, sandbox.Instant}[random.IntN(3)],
					SeveralPerDevice: random.IntN(4) == 0,
				}
				s := newSoak(acc.StartNetworkInBubble(t, config), random)
				s.several = config.SeveralPerDevice
				s.run()
			})
		})
	}
}

// mustUint is the number in a variable of the environment, or another where it is not set.
func mustUint(t *testing.T, variable string, otherwise uint64) uint64 {
	t.Helper()
	s := os.Getenv(variable)
	if s == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return n
}

// soak is one sandbox with a few resources.
type soak struct {
	network   *acctest.Network
	several   bool // the network takes any number of sessions for a device
	mixed     bool // a gateway gives answers to requests to create to others
	doubled   bool // a proxy sends requests to create twice
	common    int  // the kind of identifier that all devices have
	began     time.Time
	random    *rand.Rand
	process   *acctest.ProtocolClient
	resources []*soaked
	story     []string // what was made to happen, for whoever reads a failure
}

// soaked is one resource as Terraform would know it.
type soaked struct {
	reserves  bool // it is a qod_reservation
	config    attrs
	state     acctest.State
	tainted   bool
	said      string // every error since the last healed apply
	announced int    // how many sessions they told of that are in no state, or may be
	lost      bool   // there has been such an error
}

func newSoak(network *acctest.Network, random *rand.Rand) *soak {
	s := &soak{network: network, began: network.Clock.Now(), random: random, common: random.IntN(4)}
	for i := range 2 + random.IntN(3) {
		r := &soaked{reserves: random.IntN(2) == 0, config: s.configuration(i)}
		if r.reserves {
			r.config = s.scheduled(r.config.With("timeouts.update", "3m"))
		} else {
			r.config = r.config.With("duration", 600+i)
		}
		s.resources = append(s.resources, r)
	}
	s.restart()
	return s
}

// of is the process as it sees to a resource.
func (s *soak) of(r *soaked) *acctest.ProtocolClient {
	if r.reserves {
		return s.process.Reservations()
	}
	return s.process
}

// session is the id of the resource's session, if it has one, as the ledger spells it.
func (r *soaked) session() string {
	if r.reserves {
		return strings.ToLower(r.state.Text("session_id"))
	}
	return strings.ToLower(r.state.Text("id"))
}

// restart begins a new provider process, as every plan and apply does.
func (s *soak) restart() {
	s.process = s.network.ClientWith(attrs{"max_retries": 2, "request_timeout": "10s"})
}

func (s *soak) run() {
	for range 1 + s.random.IntN(2) {
		s.disturb()
		s.together(func(r *soaked) { s.apply(r) })
		s.accountedFor()
		s.undisturbed()
		s.change()
	}
	s.undisturbed()
	s.network.Advance(time.Minute) // beyond what begins or ends during a run
	s.healed()
	if s.random.IntN(2) == 0 {
		s.later()
		s.healed()
	}
	s.restart()
	s.disturbReleases()
	s.together(s.destroy)
	s.undisturbed()
	for range 2 {
		s.restart()
		s.together(s.destroy)
	}
	if left := s.onNetwork(); len(left) > 0 {
		s.fail("after the destroy the network holds %v", left)
	}
}

// together has Terraform's parallelism at work on the resources.
func (s *soak) together(f func(*soaked)) {
	var group sync.WaitGroup
	for _, r := range s.resources {
		group.Go(func() { f(r) })
	}
	group.Wait()
}

// configuration is what a resource asks for, for a device of its own.
func (s *soak) configuration(i int) attrs {
	device := attrs{}
	// One kind of identifier is common to all: of two devices that share none, no answer that shows
	// the other one can be told from one that shows more of this one.
	for _, kind := range append(s.random.Perm(4)[:s.random.IntN(3)], s.common) {
		switch kind {
		case 0:
			device["phone_number"] = fmt.Sprintf("+346000000%02d", 10+i)
		case 1:
			device["network_access_identifier"] = fmt.Sprintf("camera%d@example.com", i)
		case 2:
			device["ipv4_address"] = attrs{"public_address": "198.51.100.7", "public_port": 40000 + i}
		case 3:
			device["ipv6_address"] = []string{"2001:db8::", "2001:DB8:0::"}[s.random.IntN(2)] + strconv.Itoa(1+i)
		}
	}
	config := attrs{"device": device, "qos_profile": s.profile(), "timeouts": attrs{"create": "3m", "delete": "2m"}}
	if s.random.IntN(2) == 0 {
		config["application_server"] = attrs{"ipv4_address": "198.51.100.0/24"}
	}
	if s.random.IntN(4) == 0 {
		config["wait_for_available"] = false
	}
	return config
}

// scheduled is a configuration with a window: open, to come, over, without a start, longer than any
// session, shorter than a run, or one that opens during a run. All but the last two begin and end
// half an hour from the nearest run, since time passes by whole hours: no check has to be quick.
func (s *soak) scheduled(config attrs) attrs {
	now := s.network.Clock.Now()
	at := func(hours int) time.Time {
		return s.began.Add(now.Sub(s.began).Truncate(time.Hour) + time.Duration(hours)*time.Hour + 30*time.Minute)
	}
	shortly := now.Add(time.Duration(500+s.random.IntN(4000)) * time.Millisecond)
	from := s.random.IntN(2)
	w := []window{
		{at(-1), at(from)},
		{at(from), at(from + 1)},
		{at(-3), at(-2 + from)},
		{time.Time{}, at(from)},
		{at(-1), at(30)},
		{at(-1), shortly},
		{shortly, at(from)},
	}[s.random.IntN(7)]
	place := time.FixedZone("", s.random.IntN(47)*1800-23*1800)
	config = config.With("starts_at", nil).With("ends_at", w.ends.In(place).Format(time.RFC3339Nano))
	if !w.starts.IsZero() {
		config = config.With("starts_at", w.starts.In(place).Format(time.RFC3339Nano))
	}
	return config
}

func (s *soak) profile() string {
	return []string{"QOS_E", "QOS_S", "QOS_M", "QOS_L"}[s.random.IntN(4)]
}

// change is what people and the network do between two runs.
func (s *soak) change() {
	if s.random.IntN(2) == 0 {
		s.later()
	}
	for _, r := range s.resources {
		id := r.session()
		switch s.random.IntN(7) {
		case 0:
			r.config = r.config.With("qos_profile", s.profile())
		case 1:
			if id != "" && s.network.Revoke(id) {
				s.tell("the network ends %s", id)
			}
		case 2:
			if id != "" && s.network.Remove(id) {
				s.tell("somebody deletes %s", id)
			}
		case 3:
			r.config = r.config.With("wait_for_available", s.random.IntN(2) == 0)
		case 4, 5:
			if r.reserves {
				r.config = s.scheduled(r.config)
				s.tell("a window is moved: from %v to %v", r.config["starts_at"], r.config["ends_at"])
			}
		}
	}
	s.restart()
}

// later has hours pass between two runs: windows open and close, sessions end. The tokens of the
// run before would end, too, but those it takes with it.
func (s *soak) later() {
	by := []time.Duration{time.Hour, 2 * time.Hour, 25 * time.Hour}[s.random.IntN(3)]
	s.tell("%s pass", by)
	s.network.Advance(by)
}

// apply is terraform apply for one resource: refresh, plan, and what the plan says.
func (s *soak) apply(r *soaked) {
	c := s.of(r)
	if r.state.Values != nil {
		read := c.Refresh(r.state)
		r.say(read.Diagnostics)
		if acctest.HasError(read.Diagnostics) {
			return
		}
		r.state = read.State
		if r.state.Values == nil {
			r.tainted = false
		}
	}
	if r.tainted && !s.destroyed(r) {
		return
	}
	p := c.Plan(r.state, r.config)
	r.say(p.Diagnostics)
	switch {
	case acctest.HasError(p.Diagnostics):
		return
	case len(p.Replace) > 0:
		if !s.destroyed(r) {
			return
		}
		p = c.Plan(r.state, r.config)
	case r.state.Values != nil && p.Planned.Equal(r.state):
		return
	}
	creating := r.state.Values == nil
	made := c.Apply(p)
	r.say(made.Diagnostics)
	r.state, r.tainted = made.State, creating && acctest.HasError(made.Diagnostics) && made.Values != nil
}

func (s *soak) destroyed(r *soaked) bool {
	gone := s.of(r).Destroy(r.state)
	r.say(gone.Diagnostics)
	if acctest.HasError(gone.Diagnostics) {
		return false
	}
	r.state, r.tainted = acctest.State{}, false
	return true
}

func (s *soak) destroy(r *soaked) {
	if r.state.Values != nil {
		s.destroyed(r)
	}
}

func (r *soaked) say(d acctest.Diagnostics) {
	for _, text := range d.BySeverity(tfprotov6.DiagnosticSeverityError) {
		r.said += text + "\n"
		n := announces(text)
		r.announced, r.lost = r.announced+n, r.lost || n > 0
	}
}

func (s *soak) tell(format string, args ...any) {
	s.story = append(s.story, fmt.Sprintf(format, args...))
}

func (s *soak) fail(format string, args ...any) {
	s.network.T.Helper()
	var said strings.Builder
	for i, r := range s.resources {
		fmt.Fprintf(&said, "  %d, with session %q, device %v: %s\n", i, r.session(), r.config["device"], r.said)
	}
	s.network.T.Errorf(format+"\n\nWhat cause:\n  %s\n\nRequests:\n%s\nErrors since:\n%s", append(args, strings.Join(s.story, "\n  "), s.log(), &said)...)
}

func (s *soak) log() string {
	var b strings.Builder
	for _, r := range s.network.Requests() {
		fmt.Fprintf(&b, "  %s %s %d\n", r.Method, r.Path, r.Status)
	}
	return b.String()
}
