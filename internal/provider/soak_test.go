// Proves the first promise by chance: whatever configurations, windows, faults, revocations and
// interrupts come together, what is on the network is in the state or was announced; after a healed
// apply the network, the state and the configuration are the same (a reservation holds one session
// inside its window, and none outside); after a destroy the network is empty.
//
// The short length is part of the tests. The long one is "make soak": QOD_SOAK says how many
// worlds, QOD_SOAK_SEED repeats a run that failed.

package provider

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"regexp"
	"slices"
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
	worlds, seed := mustUint(t, "QOD_SOAK", shortSoak), mustUint(t, "QOD_SOAK_SEED", uint64(time.Now().UnixNano()))
	t.Logf("seed %d (repeat with QOD_SOAK_SEED)", seed)
	for i := range worlds {
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

// soak is one world with a few resources.
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
	if left := s.network.SessionIDs(); len(left) > 0 {
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
	// One kind of identifier is common to all: of two devices that share none, no answer that shows the
	// other one can be told from one that shows more of this one.
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
// session, shorter than a run, or one that opens during a run. All but the last two begin and end half
// an hour from the nearest run, since time passes by whole hours: no check has to be quick.
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

// creates and others are faults of single answers, of the world that calls them. Left out is what no program can see through: an
// API that says in its own words that it refused what it made, and a proxy that sends a request to create
// twice where the network takes two (of which the first answer never arrives).
func creates() map[string]sandbox.Effect {
	return map[string]sandbox.Effect{
		"400":                   sandbox.Status(400, `{"code":"INVALID_ARGUMENT"}`),
		"403":                   sandbox.Status(403, `{}`),
		"429":                   sandbox.Status(429, "", "Retry-After", "1"),
		"500":                   sandbox.Status(500, "<html>oops</html>", "Content-Type", "text/html"),
		"503":                   sandbox.Status(503, "", "Retry-After", "1"),
		"502 after commit":      sandbox.StatusAfterCommit(502, ""),
		"504 after commit":      sandbox.StatusAfterCommit(504, "<html>"),
		"302":                   sandbox.Redirect(302, "https://example.com/login"),
		"dropped":               sandbox.DropBeforeCommit(),
		"dropped after commit":  sandbox.DropAfterCommit(),
		"reset":                 sandbox.Reset(),
		"hangs":                 sandbox.HangBeforeCommit(),
		"hangs after commit":    sandbox.HangAfterCommit(),
		"commits late":          sandbox.CommitLate(1200 * time.Millisecond),
		"head then hangs":       sandbox.HeadThenHang(),
		"truncated":             sandbox.Truncate(20),
		"truncated behind id":   sandbox.Truncate(70),
		"HTML":                  sandbox.Answer(201, "text/html", "<html>created</html>"),
		"empty":                 sandbox.Answer(201, "application/json", ""),
		"sent twice by a proxy": sandbox.Duplicate(),
		"byte order mark":       sandbox.Rewrite(withByteOrderMark),
		"answers mixed up":      sandbox.SwapAnswers(),
		"429, for how long?":    sandbox.Status(429, ""),
	}
}

func others() map[string]sandbox.Effect {
	return map[string]sandbox.Effect{
		"401":       sandbox.Status(401, ""),
		"403":       sandbox.Status(403, `{}`),
		"404 HTML":  sandbox.Status(404, "<html>", "Content-Type", "text/html"),
		"429":       sandbox.Status(429, "", "Retry-After", "1"),
		"500":       sandbox.Status(500, ""),
		"503":       sandbox.StatusAfterCommit(503, ""),
		"dropped":   sandbox.DropAfterCommit(),
		"hangs":     sandbox.HangBeforeCommit(),
		"no Date":   sandbox.Header("Date", ""),
		"HTML":      sandbox.Status(200, "<html>", "Content-Type", "text/html"),
		"truncated": sandbox.Truncate(15),
		"busy":      sandbox.Status(409, `{"code":"CONFLICT"}`),
		"locked":    sandbox.Status(423, ""),
		"BOM":       sandbox.Rewrite(withByteOrderMark),
		"mixed up":  sandbox.SwapAnswers(),
	}
}

func withByteOrderMark(body []byte) []byte { return append([]byte("\xef\xbb\xbf"), body...) }

// circumstances are faults that last as long as a run.
var circumstances = map[string]func(s *soak){
	"a gateway answers 404": func(s *soak) {
		answer := sandbox.ForeignNotFound[s.random.IntN(len(sandbox.ForeignNotFound))]
		for _, op := range []sandbox.Operation{sandbox.OpRead, sandbox.OpList, sandbox.OpDelete} {
			if s.random.IntN(3) > 0 {
				s.tell("to %s: %s", op, answer.Name)
				s.network.Fail(sandbox.Fault{Operation: op, Nth: 1 + s.random.IntN(3), Times: []int{1, 3, -1}[s.random.IntN(3)], Effect: answer.Effect})
			}
		}
	},
	"nodes lag": func(s *soak) {
		for _, op := range []sandbox.Operation{sandbox.OpCreate, sandbox.OpRead, sandbox.OpList, sandbox.OpDelete} {
			// That of a list alone is the worst: it shows nothing wrong.
			if op == sandbox.OpCreate && s.doubled {
				continue // the network would take both
			}
			if by := time.Duration(s.random.IntN(55)) * time.Second; s.random.IntN(2) == 0 {
				s.tell("%s lags by %s", op, by)
				s.network.Lag(op, by)
			}
		}
	},
	"a list stands still": func(s *soak) { s.network.StaleList(true) },
	"a cache": func(s *soak) {
		for _, op := range []sandbox.Operation{sandbox.OpRead, sandbox.OpList} {
			if s.random.IntN(3) > 0 {
				effect := []func() sandbox.Effect{sandbox.Cached, sandbox.CachedWithoutAge, sandbox.CachedUnlessNoCache}[s.random.IntN(3)]()
				s.network.Fail(sandbox.Fault{Operation: op, Nth: 1 + s.random.IntN(3), Times: -1, Effect: effect})
			}
		}
	},
	"a clock is wrong": func(s *soak) {
		by, every := time.Duration(s.random.IntN(24)-12)*30*time.Minute, 1+s.random.IntN(3)
		s.tell("by %s, in every answer of %d", by, every)
		s.network.SkewDate(func(n int, _ sandbox.Operation) time.Duration {
			if n%every == 0 {
				return by
			}
			return 0
		})
	},
	"no times are shown": func(s *soak) { s.network.Echo(withoutTimes) },
	"no device is shown": func(s *soak) {
		if !s.mixed { // else nothing tells whose an answer is
			s.network.Echo(func(info map[string]any) { delete(info, "device") })
		}
	},
	"ids in capitals": func(s *soak) {
		s.network.Echo(func(info map[string]any) { info["sessionId"] = strings.ToUpper(fmt.Sprint(info["sessionId"])) })
	},
	"statuses in minuscules": func(s *soak) {
		s.network.Echo(func(info map[string]any) { info["qosStatus"] = strings.ToLower(fmt.Sprint(info["qosStatus"])) })
	},
}

func (s *soak) pick(from map[string]sandbox.Effect) (string, sandbox.Effect) {
	names := slices.Sorted(maps.Keys(from))
	name := names[s.random.IntN(len(names))]
	return name, from[name]
}

// disturb prepares what goes wrong during the next apply.
func (s *soak) disturb() {
	for range s.random.IntN(4) {
		name, effect := s.pick(creates())
		s.mixed = s.mixed || name == "answers mixed up"
		if name == "sent twice by a proxy" {
			if s.several {
				continue
			}
			s.doubled = true
		}
		s.fault(sandbox.OpCreate, name, effect)
	}
	if s.random.IntN(2) == 0 {
		names := slices.Sorted(maps.Keys(circumstances))
		name := names[s.random.IntN(len(names))]
		s.tell("%s", name)
		circumstances[name](s)
	}
	for _, op := range []sandbox.Operation{sandbox.OpRead, sandbox.OpList, sandbox.OpDelete} {
		for range s.random.IntN(3) {
			name, effect := s.pick(others())
			s.fault(op, name, effect)
		}
	}
	if s.random.IntN(4) == 0 {
		s.fault(sandbox.OpToken, "500", sandbox.Status(500, ""))
	}
	if s.random.IntN(4) == 0 {
		s.tell("tokens are revoked")
		s.network.RevokeTokens()
	}
	if s.random.IntN(3) == 0 {
		s.interrupt()
	}
}

func (s *soak) disturbReleases() {
	for range s.random.IntN(3) {
		name, effect := s.pick(others())
		s.fault(sandbox.OpDelete, name, effect)
	}
}

func (s *soak) fault(op sandbox.Operation, name string, effect sandbox.Effect) {
	f := sandbox.Fault{Operation: op, Nth: 1 + s.random.IntN(4), Times: 1 + s.random.IntN(3), Effect: effect}
	s.tell("from %s %d, %d times: %s", op, f.Nth, f.Times, name)
	s.network.Fail(f)
}

// interrupt stops the process in the middle of some request, as Ctrl-C does.
func (s *soak) interrupt() {
	op := []sandbox.Operation{sandbox.OpCreate, sandbox.OpRead, sandbox.OpList}[s.random.IntN(3)]
	at := s.network.Count(op) + 1 + s.random.IntN(3)
	process := s.process
	s.tell("interrupted in %s %d", op, at)
	s.network.Before(op, func(n int, r *http.Request) {
		if n == at {
			_, _ = process.Server.StopProvider(r.Context(), &tfprotov6.StopProviderRequest{})
		}
	})
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

// later has hours pass between two runs: windows open and close, sessions end. The tokens of the run
// before would end, too, but those it takes with it.
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

// severalAnnounced is how an error says that more than one session may be live. Some networks take
// several of one device.
var severalAnnounced = regexp.MustCompile(`(Up|may have made up) to ([0-9]+) sessions`)

// announces is how many sessions that are in no state an error tells of. "Already has a session" is a 409
// whose session could not be listed.
func announces(text string) int {
	several := severalAnnounced.FindStringSubmatch(text)
	switch {
	case several != nil && several[1] == "Up":
		n, _ := strconv.Atoi(several[2])
		return n
	case several != nil: // one of them is in the state
		n, _ := strconv.Atoi(several[2])
		return n - 1
	case strings.Contains(text, "may exist"), strings.Contains(text, "already has a session"), strings.Contains(text, "may have made two sessions"):
		return 1
	}
	return 0
}

// accountedFor checks the promise after one disturbed apply: each session on the network is in
// state, or an error of its resource named it or said that one may exist.
func (s *soak) accountedFor() {
	announced := 0
	held := map[string]bool{}
	for _, r := range s.resources {
		held[r.session()] = true
		announced += r.announced
	}
	for _, id := range s.network.SessionIDs() {
		named := slices.ContainsFunc(s.resources, func(r *soaked) bool { return strings.Contains(strings.ToLower(r.said), id) })
		if held[id] || named {
			continue
		}
		if announced--; announced < 0 {
			s.fail("session %s is in no state, and no error announced it", id)
		}
	}
}

// namedForImport is how errors say what recovers a session. Where the state has the resource already,
// "terraform state rm" goes before it.
var namedForImport = regexp.MustCompile(`terraform import 'ADDRESS' ([0-9A-Fa-f-]{36})`)

// undisturbed ends what was made to go wrong, but for what has already.
func (s *soak) undisturbed() {
	s.network.Heal()
	s.network.SkewDate(nil)
	s.network.Echo(nil)
	s.network.StaleList(false)
	for _, op := range []sandbox.Operation{sandbox.OpCreate, sandbox.OpRead, sandbox.OpList, sandbox.OpDelete} {
		s.network.Lag(op, 0)
	}
}

// healed applies without faults, as often as a person would, doing what the errors say.
func (s *soak) healed() {
	for round := range 4 {
		s.network.Advance(5 * time.Second)
		s.restart()
		for _, r := range s.resources {
			r.said, r.announced = "", 0
		}
		s.together(func(r *soaked) { s.apply(r) })
		for _, r := range s.resources {
			id := namedForImport.FindStringSubmatch(r.said)
			switch removed := strings.Contains(r.said, "terraform state rm 'ADDRESS'"); {
			case id != nil && (r.state.Values == nil || removed):
				s.adopt(r, id[1])
			case r.lost && round > 0:
				// Whoever was told that a session may exist looks for it: outside its window a reservation asks
				// for nothing that could meet it, and some networks take a second one.
				s.recover(r)
			}
		}
	}
	for i, r := range s.resources {
		if r.said != "" {
			s.fail("resource %d does not heal: %s", i, r.said)
			continue
		}
		if p := s.of(r).Plan(s.of(r).Refresh(r.state).State, r.config); len(p.Replace) > 0 || !p.Planned.Equal(r.state) {
			s.fail("resource %d has a plan after it is healed: it replaces for %v\n  state: %v %s\n  plan:  %v %s", i, p.Replace, r.state.Values, r.state.Private, p.Planned.Values, p.Planned.Private)
		}
		s.isConfigured(i, r)
	}
	var held []string
	for _, r := range s.resources {
		if id := r.session(); id != "" {
			held = append(held, id)
		}
	}
	slices.Sort(held)
	if onNetwork := s.network.SessionIDs(); !slices.Equal(held, onNetwork) {
		s.fail("state and network differ:\n  state:   %v\n  network: %v", held, onNetwork)
	}
}

// adopt imports a session in place of what the state has of the resource.
func (s *soak) adopt(r *soaked, id string) {
	adopted := s.of(r).Import(id)
	r.said, r.announced = "", 0
	r.say(adopted.Diagnostics)
	r.state, r.tainted = adopted.State, false
}

// recover has the sessions of the resource's device that are in no state, as the data source shows them,
// imported: in its own place if it has none, and else to be destroyed.
func (s *soak) recover(r *soaked) {
	held := map[string]bool{}
	for _, other := range s.resources {
		held[other.session()] = true
	}
	for _, session := range s.network.Ledger() {
		switch {
		case held[session.ID] || !isOf(r, session):
		case r.session() == "":
			s.adopt(r, session.ID)
		default:
			s.tell("%s is imported and destroyed", session.ID)
			if gone := s.process.Destroy(s.process.Import(session.ID).State); acctest.HasError(gone.Diagnostics) {
				s.fail("what was recovered cannot be destroyed: %s", acctest.Describe(gone.Diagnostics))
			}
		}
	}
}

// isOf reports whether a session is for the resource's device.
func isOf(r *soaked, session sandbox.Session) bool {
	device, _ := r.config["device"].(attrs)
	shown, _ := json.Marshal(session.Device)
	return !slices.ContainsFunc(pathsOf("", device), func(at string) bool {
		name, inner, nested := strings.Cut(at, ".")
		value := device[name]
		if nested {
			members, _ := value.(attrs)
			value = members[inner]
		}
		_, object := value.(attrs)
		return !object && !strings.Contains(string(shown), fmt.Sprint(value))
	})
}

// isConfigured compares the session on the network with the configuration.
func (s *soak) isConfigured(i int, r *soaked) {
	if r.reserves {
		s.isInWindow(i, r)
	}
	for _, session := range s.network.Ledger() {
		if session.ID != r.session() {
			continue
		}
		if session.QoSProfile != r.config["qos_profile"] || (!r.reserves && session.Duration != r.config["duration"]) {
			s.fail("resource %d wants %v for %v s, the network has %s for %d s", i, r.config["qos_profile"], r.config["duration"], session.QoSProfile, session.Duration)
		}
	}
	c := s.of(r)
	want := c.Members(c.Convert(c.Schema.ValueType(), r.config))
	for _, name := range []string{"device", "application_server"} {
		if got := r.state.Values[name]; !got.Equal(want[name]) {
			s.fail("resource %d: %s in state is %s", i, name, got)
		}
	}
}

// isInWindow checks that a reservation holds a session inside its window, and none outside.
func (s *soak) isInWindow(i int, r *soaked) {
	instant := func(name string) time.Time {
		text, _ := r.config[name].(string)
		if was := mustInstant(s.network.T, r.state.Text(name)); !was.Equal(mustInstant(s.network.T, text)) {
			s.fail("resource %d: %s is %s in state, want %s", i, name, was, text)
		}
		return mustInstant(s.network.T, text)
	}
	now, starts, ends := s.network.Clock.Now(), instant("starts_at"), instant("ends_at")
	want := "AVAILABLE"
	switch {
	case now.Before(starts):
		want = "SCHEDULED"
	case !now.Before(ends):
		want = "ENDED"
	}
	if got := r.state.Text("status"); got != want || (r.session() != "") != (want == "AVAILABLE") {
		s.fail("resource %d is %s with the session %q at %s, want %s: its window is from %s to %s", i, got, r.session(), now, want, starts, ends)
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
