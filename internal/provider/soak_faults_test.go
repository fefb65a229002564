// What happens by chance in TestSoak: the faults, circumstances and interrupts that are picked
// from.

package provider

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// creates and others are faults of single answers, of the sandbox that they are for. Left out is
// what no program can see through: an API that says in its own words that it refused what it made,
// and a proxy that sends a request to create twice where the network takes two (of which the first
// answer never arrives).
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
