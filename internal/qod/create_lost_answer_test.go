// Whatever one fault, or two, do to the answer of a POST: the network holds what Create returned,
// or the error says that a session may exist, and names it where it can be seen. No POST is sent
// before it is known what the last one did. Where lists lag and the network allows a second session
// for the device, no create succeeds with two.
package qod_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

func TestCreateIsNeverGreenWithTwo(t *testing.T) {
	t.Parallel()
	networks := map[string]struct {
		config sandbox.Config
		lag    []sandbox.Operation // besides lists
	}{
		"a network of several sessions a device":   {config: sandbox.Config{SeveralPerDevice: true}},
		"the same, without a start":                {config: sandbox.Config{SeveralPerDevice: true, Provisioning: time.Hour}},
		"a network whose conflicts lag with lists": {lag: []sandbox.Operation{sandbox.OpCreate}},
	}
	losses := map[string]sandbox.Effect{
		"dropped": sandbox.DropAfterCommit(), "502": sandbox.StatusAfterCommit(502, ""), "hangs": sandbox.HangAfterCommit(),
	}
	around := map[string]func(*testing.T, *qodtest.Network){
		"nothing else":                  func(*testing.T, *qodtest.Network) {},
		"an older session":              func(_ *testing.T, n *qodtest.Network) { n.Seed(sandbox.Session{}); time.Sleep(2 * time.Minute) },
		"one that was made just before": withWitness(func(*testing.T, *qodtest.Network) {}),
	}
	for what, network := range networks {
		for how, loss := range losses {
			for besides, arrange := range around {
				for _, lag := range []time.Duration{0, 3 * time.Second, 14 * time.Second, time.Minute} {
					t.Run(fmt.Sprintf("%s, %s, %s, lists lag %v", what, how, besides, lag), func(t *testing.T) {
						t.Parallel()
						for _, timeout := range []time.Duration{5 * time.Minute, 20 * time.Second} {
							qodtest.InBubble(t, qodtest.Options{Sandbox: network.config}, func(t *testing.T, n *qodtest.Network) {
								arrange(t, n)
								before := len(n.Ledger())
								for _, op := range append(network.lag, sandbox.OpList) {
									n.Lag(op, lag)
								}
								n.InjectFault(sandbox.OpCreate, 1, loss)
								s, err := n.Create(qodtest.WithTimeout(t, timeout), qodtest.Spec())
								made := len(n.Ledger()) - before
								switch unresolved := qodtest.IsError[*qod.UnresolvedError](err); {
								case made > 1 && !unresolved:
									t.Errorf("%d sessions, and %v", made, err)
								case made > 2:
									t.Errorf("%d sessions", made)
								case err == nil && (s.ID == "" || made != 1):
									t.Errorf("green with %q, and %d sessions", s.ID, made)
								case err != nil && !unresolved:
									t.Errorf("it does not say that one may exist: %v", err)
								case made > 1 && timeout > time.Minute && s.ID != "":
									// There was time enough to see both.
									e := qodtest.ErrorAs[*qod.UnresolvedError](t, err)
									qodtest.Equal(t, "the other is named", len(e.Candidates), 1)
									qodtest.Equal(t, "the one that is kept", e.KeptID, s.ID)
								case lag <= 3*time.Second && network.config.Provisioning == 0 && err != nil:
									t.Errorf("a list that lags %v hid it: %v", lag, err)
								}
							})
						}
					})
				}
			}
		}
	}
}

// After a lost answer, a POST that succeeds is not the end: the create looks until the list shows
// the new session, since a list that lags shows neither.
func TestCreateLooksForASecondSession(t *testing.T) {
	// twice makes the network commit the first POST, unseen until its lag is over, and answer the
	// second.
	twice := func(more func(*testing.T, *qodtest.Network)) func(*testing.T, *qodtest.Network) {
		return func(t *testing.T, n *qodtest.Network) {
			n.Lag(sandbox.OpList, 14*time.Second)
			n.InjectFault(sandbox.OpCreate, 1, sandbox.DropAfterCommit())
			if more != nil {
				more(t, n)
			}
		}
	}
	afterSecond := func(f func(n *qodtest.Network)) func(*testing.T, *qodtest.Network) {
		return func(_ *testing.T, n *qodtest.Network) {
			n.Before(sandbox.OpCreate, func(nth int, _ *http.Request) {
				if nth == 2 {
					f(n)
				}
			})
		}
	}
	several := qodtest.Options{Sandbox: sandbox.Config{SeveralPerDevice: true}}
	second := func(candidates int) func(*testing.T, *qodtest.Network, error) {
		return func(t *testing.T, _ *qodtest.Network, err error) {
			t.Helper()
			e := qodtest.ErrorAs[*qod.UnresolvedError](t, err)
			qodtest.Equal(t, "candidates", len(e.Candidates), candidates)
			qodtest.Equal(t, "one is kept", e.KeptID != "", true)
			if candidates == 0 && e.ListErr == nil {
				t.Error("it does not say why it could not look")
			}
		}
	}
	runScenarios(t, map[string]scenario{
		"the list shows both in time": {Options: several, arrange: twice(nil), posts: 2, made: true, leftBehind: 1, check: second(1)},
		"the list shows them too late": {
			Options: several, timeout: 20 * time.Second, arrange: twice(func(_ *testing.T, n *qodtest.Network) { n.Lag(sandbox.OpList, time.Hour) }),
			posts: 2, made: true, leftBehind: 1, limit: 26 * time.Second, check: second(0),
		},
		"the list fails from then on": {
			Options: several, timeout: time.Minute, arrange: twice(afterSecond(func(n *qodtest.Network) { n.InjectFault(sandbox.OpList, -1, unavailable) })),
			posts: 2, made: true, leftBehind: 1, check: second(0),
		},
		"the list is refused from then on": {
			Options: several, arrange: twice(afterSecond(func(n *qodtest.Network) { n.InjectFault(sandbox.OpList, -1, sandbox.Status(403, "")) })),
			posts: 2, made: true, leftBehind: 1, limit: 20 * time.Second, check: second(0),
		},
		"the list comes from a cache from then on": {
			Options: several, timeout: time.Minute, arrange: twice(afterSecond(func(n *qodtest.Network) { n.InjectFault(sandbox.OpList, -1, sandbox.Header("Age", "9")) })),
			posts: 2, made: true, leftBehind: 1, check: second(0),
		},
		"the first made none": {
			Options: several, arrange: func(_ *testing.T, n *qodtest.Network) {
				n.Lag(sandbox.OpList, 14*time.Second)
				n.InjectFault(sandbox.OpCreate, 1, sandbox.DropBeforeCommit())
			}, posts: 2, made: true, limit: 40 * time.Second,
		},
		// A session of the device that began well before our POST is not a second one of ours.
		"an older session of the device shows late": {
			Options: several, arrange: func(_ *testing.T, n *qodtest.Network) {
				n.Lag(sandbox.OpList, 25*time.Second)
				n.SeedSession(sandbox.Session{})
				time.Sleep(5 * time.Second)
				n.InjectFault(sandbox.OpCreate, 1, sandbox.DropBeforeCommit())
			}, posts: 2, made: true,
		},
		// Nor is somebody else's.
		"another device's session appears": {
			Options: several, arrange: func(t *testing.T, n *qodtest.Network) {
				n.InjectFault(sandbox.OpCreate, 1, sandbox.DropBeforeCommit())
				afterSecond(func(n *qodtest.Network) { n.Seed(sandbox.Session{}) })(t, n)
			}, posts: 2, made: true, others: 1,
		},
		// The first session still exists and is billed.
		"the second answer shows a session that was there before": {
			Options: several, arrange: func(_ *testing.T, n *qodtest.Network) {
				there := n.SeedSession(sandbox.Session{})
				n.Lag(sandbox.OpList, 0)
				n.InjectFault(sandbox.OpCreate, 1, sandbox.DropBeforeCommit())
				n.InjectFault(sandbox.OpCreate, 1, sandbox.Status(200, `{"sessionId":"`+there.ID+`"}`))
			}, posts: 2, check: func(t *testing.T, _ *qodtest.Network, err error) {
				_ = qodtest.ErrorAs[*qod.UnresolvedError](t, err)
				qodtest.Equal(t, "visible", len(qodtest.ErrorAs[*qod.ConflictError](t, err).Visible), 1)
			},
		},
	})
}

// After an interrupt, a create still makes one last list to find a second session.
func TestCreateLooksForASecondSessionAfterAnInterrupt(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{Sandbox: sandbox.Config{SeveralPerDevice: true}}, func(t *testing.T, n *qodtest.Network) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		n.Lag(sandbox.OpList, 14*time.Second)
		n.InjectFault(sandbox.OpCreate, 1, sandbox.DropAfterCommit())
		n.InjectFault(sandbox.OpCreate, 1, sandbox.Delay(20*time.Second))
		var interrupted time.Time
		n.Before(sandbox.OpCreate, func(nth int, _ *http.Request) {
			if nth == 2 {
				interrupted = time.Now().Add(5 * time.Second)
				time.AfterFunc(5*time.Second, cancel)
			}
		})
		s, err := n.Create(ctx, qodtest.Spec())
		e := qodtest.ErrorAs[*qod.UnresolvedError](t, err)
		qodtest.Equal(t, "the other is named", len(e.Candidates), 1)
		if s.ID == "" || e.KeptID != s.ID {
			t.Errorf("kept %q, returned %q", e.KeptID, s.ID)
		}
		if late := time.Since(interrupted); late > 21*time.Second {
			t.Errorf("it went on for %v", late)
		}
	})
}

func TestCreateWhenTheAnswerIsLost(t *testing.T) {
	scenarios := map[string]scenario{
		"nothing goes wrong": {posts: 1, made: true, check: wantOneList},

		"dropped after the commit":  {arrange: failCreates(sandbox.DropAfterCommit()), posts: 1, made: true},
		"dropped before the commit": {arrange: failCreates(sandbox.DropBeforeCommit()), posts: 2, made: true},
		"reset":                     {arrange: failCreates(sandbox.Reset()), posts: 2, made: true},
		"hangs, committed":          {arrange: failCreates(sandbox.HangAfterCommit()), posts: 1, made: true},
		"hangs, not committed":      {arrange: failCreates(sandbox.HangBeforeCommit()), posts: 2, made: true},
		"slow, but in time":         {arrange: failCreates(sandbox.Delay(29 * time.Second)), posts: 1, made: true, check: wantOneList},
		"slower than the timeout":   {arrange: failCreates(sandbox.Delay(31 * time.Second)), posts: 1, made: true},
		"the head, then silence":    {arrange: failCreates(sandbox.HeadThenHang()), posts: 1, made: true, check: wantOneList},

		"committed while it is looked for": {
			arrange: failCreates(sandbox.CommitLate(32 * time.Second)), posts: 1, made: true,
		},
		"committed just before the next POST": {
			arrange: func(_ *testing.T, n *qodtest.Network) {
				n.InjectFault(sandbox.OpCreate, 1, sandbox.CommitLate(90*time.Second))
				n.InjectFault(sandbox.OpCreate, 1, sandbox.Status(http.StatusServiceUnavailable, "", "Retry-After", "60"))
			},
			posts: 2, made: true,
		},
		"committed after the next POST": {
			arrange: failCreates(sandbox.CommitLate(time.Minute)), posts: 2, made: true,
		},
		"lost time and again": {
			arrange: func(_ *testing.T, n *qodtest.Network) {
				n.InjectFault(sandbox.OpCreate, -1, sandbox.DropBeforeCommit())
			},
			posts: 5, check: wantUnresolved(0, 5),
		},
		"lost twice, the second committed": {
			arrange: failCreates(sandbox.DropBeforeCommit(), sandbox.DropAfterCommit()), posts: 2, made: true,
		},
		"lost, then refused": {
			arrange: failCreates(sandbox.DropBeforeCommit(), sandbox.Status(http.StatusForbidden, `{"code":"PERMISSION_DENIED"}`)),
			posts:   2, check: wantUnresolved(0, 1),
		},
		"lost, then no token": {
			arrange: func(_ *testing.T, n *qodtest.Network) {
				n.InjectFault(sandbox.OpCreate, 1, sandbox.Status(http.StatusBadGateway, "", "Retry-After", "120"))
				n.InjectFaultFromSecond(sandbox.OpToken, -1, unavailable)
				n.Tokens(func(answer map[string]any) { answer["expires_in"] = 60 })
			},
			posts: 1, check: wantUnresolved(0, 1, func(t *testing.T, _ *qodtest.Network, e *qod.UnresolvedError) {
				_ = qodtest.ErrorAs[*qod.TokenError](t, e.ListErr)
			}),
		},
		"one retry is allowed": {
			Options: qodtest.Options{Client: func(c *qod.Config) { c.MaxRetries = 1 }},
			arrange: func(_ *testing.T, n *qodtest.Network) { n.InjectFault(sandbox.OpCreate, -1, unavailable) },
			posts:   2, check: wantUnresolved(0, 2),
		},
		"no retry is allowed, and none is needed": {
			Options: qodtest.Options{Client: func(c *qod.Config) { c.MaxRetries = 0 }},
			arrange: failCreates(sandbox.DropAfterCommit()), posts: 1, made: true,
		},
		"the request is doubled on its way": {
			arrange: failCreates(sandbox.Duplicate()), posts: 3, leftBehind: 1, limit: 5 * time.Second,
			check: wantConflict(func(t *testing.T, e *qod.ConflictError) { qodtest.Equal(t, "visible", len(e.Visible), 1) }),
		},
		"made twice by a network that allows it": createdTwice(qodtest.Options{}),
		// Less evidence than for an adoption is enough to report it.
		"made twice by a network that shows no start, and lists slowly": createdTwice(qodtest.Options{Sandbox: slowProvisioning}, sandbox.Delay(4*time.Second)),
	}
	// These may hide a request that was carried out.
	for _, status := range []int{302, 303, 408, 500, 502, 503, 504} {
		scenarios[fmt.Sprintf("%d, committed", status)] = scenario{
			arrange: failCreates(sandbox.StatusAfterCommit(status, "")), posts: 1, made: true,
		}
		scenarios[fmt.Sprintf("%d, not committed", status)] = scenario{
			arrange: failCreates(sandbox.Status(status, "")), posts: 2, made: true,
		}
	}
	runScenarios(t, scenarios)
}

// createdTwice makes the network commit a lost POST while the next one is in flight; lists have
// these effects.
func createdTwice(s qodtest.Options, lists ...sandbox.Effect) scenario {
	return scenario{
		Options: s,
		arrange: func(_ *testing.T, n *qodtest.Network) {
			for _, effect := range lists {
				n.InjectFault(sandbox.OpList, 1, effect)
			}
			n.InjectFault(sandbox.OpCreate, 1, sandbox.DropBeforeCommit())
			n.Before(sandbox.OpCreate, func(nth int, _ *http.Request) {
				if nth == 2 {
					time.AfterFunc(time.Millisecond, func() { n.SeedSession(sandbox.Session{Status: sandbox.StatusRequested}) })
				}
			})
			n.InjectFaultFromSecond(sandbox.OpCreate, 1, sandbox.Delay(time.Second))
		},
		posts: 2, made: true, leftBehind: 1,
		check: func(t *testing.T, _ *qodtest.Network, err error) {
			e := qodtest.ErrorAs[*qod.UnresolvedError](t, err)
			qodtest.Equal(t, "candidates", len(e.Candidates), 1)
			if e.KeptID == "" || e.KeptID == e.Candidates[0].ID {
				t.Errorf("the session that is kept: %q", e.KeptID)
			}
		},
	}
}

func TestCreateWhenTheAnswerIsUnreadable(t *testing.T) {
	unreadable := map[string]sandbox.Effect{
		"cut within the id": sandbox.Truncate(20),
		"empty":             sandbox.Answer(201, qodtest.JSON, ""),
		"HTML":              sandbox.Answer(201, qodtest.HTML, qodtest.LoginPage),
		"HTML, 200":         sandbox.Answer(200, qodtest.HTML, qodtest.LoginPage),
		"invalid JSON":      sandbox.Answer(201, qodtest.JSON, `{"sessionId" "x"}`),
		"null":              sandbox.Answer(201, qodtest.JSON, `null`),
		"an array":          sandbox.Answer(201, qodtest.JSON, `[]`),
		"a null id":         sandbox.Answer(201, qodtest.JSON, `{"sessionId":null}`),
		"an empty id":       sandbox.Answer(201, qodtest.JSON, `{"sessionId":""}`),
		"an id with a path": sandbox.Answer(201, qodtest.JSON, `{"sessionId":"../../admin"}`),
		"204":               sandbox.Answer(204, qodtest.JSON, ""),
		"202, empty":        sandbox.Answer(202, qodtest.JSON, ""),
		"a bomb":            sandbox.GzipBomb(),
		"endless":           sandbox.Endless(),
		"another Location":  sandbox.StatusAfterCommit(201, "", "Location", "https://login.example/"+qodtest.SessionID),
		"the collection":    sandbox.StatusAfterCommit(201, "", "Location", "/v1/qod/sessions/"),
	}
	scenarios := map[string]scenario{}
	for name, effect := range unreadable {
		scenarios[name] = scenario{arrange: failCreates(effect), posts: 1, made: true}
		// The API said that it created a session: another POST would buy a second one.
		scenarios[name+", and the list does not show it"] = scenario{
			arrange: failCreateAndLists(effect, -1, emptyList), posts: 1, leftBehind: 1, check: wantUnresolved(0, 1),
		}
	}
	salvaged := map[string]qodtest.Interceptor{
		"Location only": rewriteCreated(func(t testing.TB, r *http.Response) {
			var info struct{ SessionID string }
			if err := json.Unmarshal([]byte(qodtest.Body(t, r)), &info); err != nil {
				t.Error(err)
			}
			replaceBody(r, "")
			r.Header.Set("Location", qodtest.Gateway+"/v1/qod/sessions/"+info.SessionID)
		}),
		"200":                 rewriteCreated(func(_ testing.TB, r *http.Response) { r.StatusCode = http.StatusOK }),
		"202":                 rewriteCreated(func(_ testing.TB, r *http.Response) { r.StatusCode = http.StatusAccepted }),
		"not called JSON":     rewriteCreated(func(_ testing.TB, r *http.Response) { r.Header.Set("Content-Type", qodtest.HTML) }),
		"damaged at the end":  rewriteCreated(func(t testing.TB, r *http.Response) { replaceBody(r, strings.TrimSuffix(qodtest.Body(t, r), "}")) }),
		"something behind it": rewriteCreated(func(t testing.TB, r *http.Response) { replaceBody(r, qodtest.Body(t, r)+"<!-- proxied -->") }),
	}
	for name, w := range salvaged {
		scenarios[name] = scenario{Options: qodtest.Options{Intercept: w}, posts: 1, made: true, check: wantOneList}
	}
	scenarios["cut behind the id"] = scenario{arrange: failCreates(sandbox.Truncate(60)), posts: 1, made: true, check: wantOneList}
	for name, value := range map[string]any{
		"epoch": 1639479600, "text": "soon", "null": nil, "an object": map[string]any{"a": 1}, "a bool": true, "an array": []any{1},
	} {
		for _, field := range []string{"startedAt", "expiresAt", "duration", "qosStatus", "qosProfile", "device"} {
			scenarios[field+" is "+name] = scenario{
				arrange: func(_ *testing.T, n *qodtest.Network) { n.Echo(func(info map[string]any) { info[field] = value }) },
				posts:   1, made: true, check: wantOneList,
			}
		}
	}
	scenarios["the id alone, and unknown fields"] = scenario{
		arrange: func(_ *testing.T, n *qodtest.Network) {
			n.Echo(func(info map[string]any) {
				withoutFields("startedAt", "expiresAt", "duration", "qosStatus", "qosProfile", "device")(info)
				info["links"] = []any{map[string]any{"sessionId": qodtest.SessionID}}
			})
		},
		posts: 1, made: true, check: wantOneList,
	}
	runScenarios(t, scenarios)
}

// A lost session is found although the runner's clock is wrong.
func TestCreateWithAWrongClock(t *testing.T) {
	scenarios := map[string]scenario{}
	for _, by := range []time.Duration{-time.Hour, time.Hour} {
		network := sandbox.Config{Clock: clockAhead(by)}
		scenarios[fmt.Sprintf("%v, with a snapshot", by)] = scenario{
			Options: qodtest.Options{Sandbox: network}, arrange: failCreates(sandbox.DropAfterCommit()), posts: 1, made: true,
		}
		scenarios[fmt.Sprintf("%v, without a snapshot", by)] = scenario{
			Options: qodtest.Options{Sandbox: network}, arrange: failListsUntilCreate(sandbox.DropAfterCommit(), unavailable), posts: 1, made: true,
		}
	}
	runScenarios(t, scenarios)
}

// Two faults in a row, in every combination of what can happen to a POST and to the lists after it.
// The test checks the promise, and not an exact outcome.
func TestCreateKeepsItsPromiseUnderTwoFaults(t *testing.T) {
	t.Parallel()
	type named struct {
		name   string
		effect sandbox.Effect
	}
	posts := []named{
		{"before", sandbox.DropBeforeCommit()}, {"after", sandbox.DropAfterCommit()}, {"hang", sandbox.HangAfterCommit()},
		{"late", sandbox.CommitLate(31 * time.Second)}, {"502", sandbox.StatusAfterCommit(502, "")}, {"503", sandbox.Status(503, "")},
		{"empty", sandbox.Answer(201, qodtest.JSON, "")}, {"cut", sandbox.Truncate(20)}, {"409", conflict}, {"429", sandbox.Status(429, "")},
		{"401", sandbox.Status(401, "")},
	}
	again := []named{{"before", sandbox.DropBeforeCommit()}, {"after", sandbox.DropAfterCommit()}, {"409", conflict}, {"empty", sandbox.Answer(201, qodtest.JSON, "")}}
	looks := []named{
		{"empty list", emptyList}, {"object", sandbox.Answer(200, qodtest.JSON, "{}")}, {"html", sandbox.Answer(200, qodtest.HTML, qodtest.LoginPage)},
		{"before", sandbox.DropBeforeCommit()}, {"hang", sandbox.HangBeforeCommit()}, {"503", unavailable}, {"cut", sandbox.Truncate(20)}, {"401", sandbox.Status(401, "")},
	}
	for _, first := range posts {
		for _, second := range again {
			for _, look := range looks {
				t.Run(first.name+"/"+second.name+"/"+look.name, func(t *testing.T) {
					t.Parallel()
					for _, network := range []sandbox.Config{{}, slowProvisioning} {
						twoFaults(t, network, first.effect, second.effect, look.effect)
					}
				})
			}
		}
	}
}

func twoFaults(t *testing.T, network sandbox.Config, first, second, look sandbox.Effect) {
	qodtest.InBubble(t, qodtest.Options{Sandbox: network}, func(t *testing.T, n *qodtest.Network) {
		n.InjectFault(sandbox.OpCreate, 1, first)
		n.InjectFault(sandbox.OpCreate, 1, second)
		n.InjectFaultFromSecond(sandbox.OpList, 2, look)
		s, err := n.Create(qodtest.WithTimeout(t, 10*time.Minute), qodtest.Spec())
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		live := qodtest.IDs(n.Ledger())
		switch {
		case len(live) > 1:
			t.Errorf("bought twice: %v", live)
		case s.ID != "" && (len(live) != 1 || live[0] != s.ID):
			t.Errorf("returned %q, on the network %v", s.ID, live)
		case s.ID == "" && err == nil:
			t.Error("neither session nor error")
		case s.ID == "" && len(live) == 1 && !qodtest.IsError[*qod.UnresolvedError](err):
			t.Errorf("a session is left behind: %v", err)
		}
	})
}

// Where the list before the POST failed, the clock alone tells whether a session is older than the
// POST. A clock by which the session has ended long ago, although it is AVAILABLE, tells nothing,
// nor does one by which the next session started before it was asked for.
func TestCreateByAClockThatTheLostSessionContradicts(t *testing.T) {
	t.Parallel()
	for _, ahead := range []time.Duration{20 * time.Minute, 90 * time.Minute, 150 * time.Minute, 48 * time.Hour} {
		qodtest.InBubble(t, qodtest.Options{Sandbox: sandbox.Config{SeveralPerDevice: true, Provisioning: sandbox.Instant}}, func(t *testing.T, n *qodtest.Network) {
			n.SkewDate(func(int, sandbox.Operation) time.Duration { return ahead })
			n.InjectFault(sandbox.OpList, 1, sandbox.Status(409, ""))
			n.InjectFault(sandbox.OpCreate, 1, sandbox.HangAfterCommit())
			_, err := n.Create(t.Context(), qodtest.Spec())
			if made := len(n.Ledger()); made > 1 && !qodtest.IsError[*qod.UnresolvedError](err) {
				t.Errorf("%s ahead: %d sessions, and %v", ahead, made, err)
			}
		})
	}
}

// Nor does a clock that is hours behind in every answer make an older session of the device,
// somebody else's, look as if the lost request had created it.
func TestCreateByAClockThatIsBehind(t *testing.T) {
	t.Parallel()
	for name, loss := range map[string]sandbox.Effect{"nothing was created": sandbox.DropBeforeCommit(), "a session was created": sandbox.HangAfterCommit()} {
		qodtest.InBubble(t, qodtest.Options{Sandbox: sandbox.Config{SeveralPerDevice: true, Provisioning: sandbox.Instant}}, func(t *testing.T, n *qodtest.Network) {
			foreign := n.SeedSession(sandbox.Session{Duration: 3600, QoSProfile: qodtest.Spec().QoSProfile})
			time.Sleep(30 * time.Minute)
			n.SkewDate(func(int, sandbox.Operation) time.Duration { return -150 * time.Minute })
			n.InjectFault(sandbox.OpList, 1, sandbox.Status(409, ""))
			n.InjectFault(sandbox.OpCreate, 1, loss)
			s, err := n.Create(t.Context(), qodtest.Spec())
			if s.ID == foreign.ID || err == nil && s.ID == "" {
				t.Errorf("%s: it returned %q (the older session is %q), %v", name, s.ID, foreign.ID, err)
			}
			if made := len(n.Ledger()) - 1; made > 1 && !qodtest.IsError[*qod.UnresolvedError](err) {
				t.Errorf("%s: %d sessions, and %v", name, made, err)
			}
		})
	}
}
