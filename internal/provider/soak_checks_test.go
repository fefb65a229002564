// What TestSoak insists on: that what is on the network is in the state or was announced, and that
// a healed apply makes network, state and configuration the same.

package provider

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// severalAnnounced is how an error says that more than one session may be live. Some networks take
// several of one device.
var severalAnnounced = regexp.MustCompile(`(Up|may have created up) to ([0-9]+) sessions`)

// announces is how many sessions that are in no state an error tells of. "Already has a session" is
// a 409 whose session could not be listed.
func announces(text string) int {
	several := severalAnnounced.FindStringSubmatch(text)
	switch {
	case several != nil && several[1] == "Up":
		n, _ := strconv.Atoi(several[2])
		return n
	case several != nil: // one of them is in the state
		n, _ := strconv.Atoi(several[2])
		return n - 1
	case strings.Contains(text, "may exist"), strings.Contains(text, "another session occupies the device is unknown"), strings.Contains(text, "already has a session"), strings.Contains(text, "may have created two sessions"):
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
	for _, id := range s.onNetwork() {
		named := slices.ContainsFunc(s.resources, func(r *soaked) bool { return strings.Contains(strings.ToLower(r.said), id) })
		if held[id] || named {
			continue
		}
		if announced--; announced < 0 {
			s.fail("session %s is in no state, and no error announced it", id)
		}
	}
}

// onNetwork are the sessions that somebody may have to delete. One that the network has ended, and
// whose own end has come since, is none of them, although the API shows it for six minutes.
func (s *soak) onNetwork() []string {
	now := s.network.Clock.Now()
	var ids []string
	for _, session := range s.network.Ledger() {
		if session.Status != sandbox.StatusUnavailable || now.Before(session.ExpiresAt) {
			ids = append(ids, session.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

// namedForImport is how errors say what recovers a session. Where the state has the resource
// already, "terraform state rm" goes before it.
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
				// Whoever was told that a session may exist looks for it: outside its window a
				// reservation asks for nothing that could meet it, and some networks take a second
				// one.
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
	if onNetwork := s.onNetwork(); !slices.Equal(held, onNetwork) {
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

// recover has the sessions of the resource's device that are in no state, as the data source shows
// them, imported: in its own place if it has none, and else to be destroyed.
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
