// The client and CAMARA's quality-on-demand 1.x, judged by the sandbox's copy of that document:
// what is sent, what is read, and that all promises hold where sessions are listed by device only.
package qod_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// inCAMARA runs f with a network that speaks CAMARA's API, and a client of it.
func inCAMARA(t *testing.T, options qodtest.Options, f func(t *testing.T, n *qodtest.Network)) {
	t.Helper()
	options.Sandbox.API = sandbox.CAMARAV1
	qodtest.InBubble(t, options, f)
}

// The body has what was asked for and nothing else: the sandbox refuses other members, as 1.2 does.
func TestCAMARAV1Writes(t *testing.T) {
	t.Parallel()
	expires := qodtest.BubbleStart.Add(48 * time.Hour)
	tests := map[string]bodyTest{
		"the least": {func(*qod.Spec) {},
			`{"device":{"phoneNumber":"+34600000001"},"applicationServer":{"ipv4Address":"198.51.100.0/24"},"qosProfile":"QOS_L","duration":3600}`},
		"an address with its port": {
			func(s *qod.Spec) {
				s.Device = qod.Device{IPv4Address: &qod.IPv4Address{PublicAddress: "203.0.113.9", PublicPort: new(int64(5000))}}
			},
			`{"device":{"ipv4Address":{"publicAddress":"203.0.113.9","publicPort":5000}},"applicationServer":{"ipv4Address":"198.51.100.0/24"},"qosProfile":"QOS_L","duration":3600}`},
		"an address with a private one": {
			func(s *qod.Spec) {
				s.Device = qod.Device{IPv4Address: &qod.IPv4Address{PublicAddress: "203.0.113.9", PrivateAddress: "10.0.0.1"}}
			},
			`{"device":{"ipv4Address":{"publicAddress":"203.0.113.9","privateAddress":"10.0.0.1"}},"applicationServer":{"ipv4Address":"198.51.100.0/24"},"qosProfile":"QOS_L","duration":3600}`},
		"ports": {
			func(s *qod.Spec) {
				s.DevicePorts = &qod.Ports{Ranges: []qod.PortRange{{From: 5000, To: 5010}}}
				s.ApplicationServerPorts = &qod.Ports{Ports: []int64{443, 8443}}
			},
			`{"device":{"phoneNumber":"+34600000001"},"applicationServer":{"ipv4Address":"198.51.100.0/24"},"devicePorts":{"ranges":[{"from":5000,"to":5010}]},"applicationServerPorts":{"ports":[443,8443]},"qosProfile":"QOS_L","duration":3600}`},
		"a sink": {
			func(s *qod.Spec) { s.NotificationURL = "https://hook.example" },
			`{"device":{"phoneNumber":"+34600000001"},"applicationServer":{"ipv4Address":"198.51.100.0/24"},"qosProfile":"QOS_L","sink":"https://hook.example","duration":3600}`},
		"a sink with its token": {
			func(s *qod.Spec) {
				s.NotificationURL, s.NotificationAuthToken, s.NotificationAuthTokenExpiresAt = "https://hook.example", "the token", expires
			},
			`{"device":{"phoneNumber":"+34600000001"},"applicationServer":{"ipv4Address":"198.51.100.0/24"},"qosProfile":"QOS_L","sink":"https://hook.example","sinkCredential":{"credentialType":"ACCESSTOKEN","accessToken":"the token","accessTokenExpiresUtc":"2000-01-03T00:00:00Z","accessTokenType":"bearer"},"duration":3600}`},
		"more than a day": {
			func(s *qod.Spec) { s.QoSProfile, s.Seconds = "long-event", 100_000 },
			`{"device":{"phoneNumber":"+34600000001"},"applicationServer":{"ipv4Address":"198.51.100.0/24"},"qosProfile":"long-event","duration":100000}`},
	}
	wantBodies(t, inCAMARA, "/quality-on-demand/v1/sessions", tests)
}

// A webhook token without an end of its own is good until an hour after the session's.
func TestCAMARAV1NotificationTokenOutlivesTheSession(t *testing.T) {
	t.Parallel()
	inCAMARA(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		spec := camaraSpec()
		spec.NotificationURL, spec.NotificationAuthToken = "https://hook.example", "the token"
		if _, err := n.Create(t.Context(), spec); err != nil {
			t.Fatal(err)
		}
		until := n.Ledger()[0].NotificationsUntil
		if early, late := qodtest.BubbleStart.Add(2*time.Hour), qodtest.BubbleStart.Add(2*time.Hour+time.Minute); until.Before(early) || until.After(late) {
			t.Errorf("it expires at %v", until)
		}
	})
}

func TestCAMARAV1Checks(t *testing.T) {
	t.Parallel()
	tests := map[string]checkTest{
		"all of it": {func(*qod.Spec) {}, ""},
		"no server": {func(s *qod.Spec) { s.ApplicationServer = nil }, qod.FieldApplicationServer},
		"a server to come": {func(s *qod.Spec) {
			s.ApplicationServer, s.Unknown = nil, map[qod.Field]bool{qod.FieldApplicationServer: true}
		}, ""},
		"a network identifier": {func(s *qod.Spec) { s.Device.NetworkAccessIdentifier = "a@b.example" }, qod.FieldNetworkAccessIdentifier},
		"an address alone":     {func(s *qod.Spec) { s.Device.IPv4Address = &qod.IPv4Address{PublicAddress: "203.0.113.9"} }, qod.FieldIPv4Address},
		"a port to come": {func(s *qod.Spec) {
			s.Device.IPv4Address = &qod.IPv4Address{PublicAddress: "203.0.113.9"}
			s.Unknown = map[qod.Field]bool{qod.FieldPublicPort: true}
		}, ""},
		"public port 0": {func(s *qod.Spec) {
			s.Device.IPv4Address = &qod.IPv4Address{PublicAddress: "203.0.113.9", PublicPort: new(int64(0))}
		}, qod.FieldPublicPort},
		"port 0":               {func(s *qod.Spec) { s.DevicePorts = &qod.Ports{Ports: []int64{0}} }, qod.FieldDevicePorts},
		"a range backwards":    {func(s *qod.Spec) { s.ApplicationServerPorts = &qod.Ports{Ranges: []qod.PortRange{{From: 2, To: 1}}} }, qod.FieldApplicationServerPorts},
		"no ports":             {func(s *qod.Spec) { s.ApplicationServerPorts = &qod.Ports{} }, qod.FieldApplicationServerPorts},
		"a profile of a word":  {func(s *qod.Spec) { s.QoSProfile = "live uplink" }, qod.FieldQoSProfile},
		"a profile of anybody": {func(s *qod.Spec) { s.QoSProfile = "b55e2cc8-b386-4d90-9f95-b98ba20be050" }, ""},
		"a sink without TLS":   {func(s *qod.Spec) { s.NotificationURL = "http://hook.example" }, qod.FieldNotificationURL},
		"a sink in upper case": {func(s *qod.Spec) { s.NotificationURL = "HTTPS://hook.example" }, qod.FieldNotificationURL},
		"a long sink":          {func(s *qod.Spec) { s.NotificationURL = "https://hook.example/" + strings.Repeat("x", 2048) }, qod.FieldNotificationURL},
		"a long token": {func(s *qod.Spec) {
			s.NotificationURL, s.NotificationAuthToken = "https://hook.example", strings.Repeat("x", 4097)
		}, qod.FieldNotificationAuthToken},
		"a negative duration":   {func(s *qod.Spec) { s.Seconds = -1 }, qod.FieldDuration},
		"a duration over a day": {func(s *qod.Spec) { s.Seconds = 86_401 }, ""},
	}
	wantChecks(t, qod.CAMARAV1, tests)
}

// What only CAMARA's API has is refused for the default one, at its field.
func TestOpenGatewayRefusesWhatOnlyCAMARAHas(t *testing.T) {
	t.Parallel()
	spec := qodtest.Spec()
	spec.Device.IPv4Address = &qod.IPv4Address{PublicAddress: "203.0.113.9", PrivateAddress: "10.0.0.1"}
	spec.DevicePorts, spec.ApplicationServerPorts = &qod.Ports{Ports: []int64{1}}, &qod.Ports{Ports: []int64{1}}
	spec.NotificationAuthTokenExpiresAt = time.Now()
	var fields []qod.Field
	for _, problem := range qod.CheckFor(qod.OpenGateway, "", spec) {
		fields = append(fields, problem.Field)
		if !strings.Contains(problem.Allowed, `api = "camara-v1"`) {
			t.Errorf("%+v does not name the API that has it", problem)
		}
	}
	if want := []qod.Field{qod.FieldPrivateAddress, qod.FieldDevicePorts, qod.FieldApplicationServerPorts, qod.FieldNotificationAuthTokenExpiresAt}; !slices.Equal(fields, want) {
		t.Errorf("%v, want %v", fields, want)
	}
}

// The answers of gateways that deviate are read all the same.
func TestCAMARAV1ReadsWhatGatewaysSend(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]sandbox.Config{
		"as the document says": {},
		"epoch times":          {EpochTimes: true},
		"no device":            {OmitDevice: true},
		"200":                  {CreateStatus: http.StatusOK},
		"202":                  {CreateStatus: http.StatusAccepted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config.Provisioning = time.Second
			inCAMARA(t, qodtest.Options{Sandbox: config}, func(t *testing.T, n *qodtest.Network) {
				time.Sleep(2 * 366 * 24 * time.Hour) // to where seconds since 1970 have ten digits, as they do now
				n.Echo(func(info map[string]any) { info["messages"], info["unheardOf"] = []string{"x"}, nil })
				s, err := n.Create(t.Context(), camaraSpec())
				if err != nil {
					t.Fatal(err)
				}
				s, err = n.Await(qodtest.WithTimeout(t, time.Minute), qod.Ref{ID: s.ID, Device: camaraSpec().Device})
				live := n.Ledger()[0]
				if err != nil || s.Status != qod.StatusAvailable || !s.ExpiresAt.Truncate(time.Second).Equal(live.ExpiresAt.Truncate(time.Second)) {
					t.Errorf("%+v, %v; the network has %+v", s, err, live)
				}
				if err := n.Delete(t.Context(), qod.Ref{ID: s.ID, Device: camaraSpec().Device}); err != nil || len(n.Ledger()) > 0 {
					t.Errorf("delete: %v", err)
				}
			})
		})
	}
}

// A session that the network refuses, in the answer to its own create too, says why.
func TestCAMARAV1StatusInfo(t *testing.T) {
	t.Parallel()
	inCAMARA(t, qodtest.Options{Sandbox: sandbox.Config{Provisioning: sandbox.Instant}}, func(t *testing.T, n *qodtest.Network) {
		s, err := n.Create(t.Context(), camaraSpec())
		if err != nil {
			t.Fatal(err)
		}
		n.Revoke(s.ID)
		s, err = n.Read(t.Context(), qod.Ref{ID: s.ID, Device: camaraSpec().Device})
		if err != nil || s.Status != qod.StatusUnavailable || s.StatusInfo != "NETWORK_TERMINATED" {
			t.Errorf("%+v, %v", s, err)
		}
	})
}

// An answer to a create is lost, in every way: one session, found by the list of its device, also
// where answers do not show the device.
func TestCAMARAV1LostAnswers(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		effect     sandbox.Effect
		omitDevice bool
	}{
		"before it is carried out":       {effect: sandbox.DropBeforeCommit()},
		"after":                          {effect: sandbox.DropAfterCommit()},
		"after, and no device is shown":  {effect: sandbox.DropAfterCommit(), omitDevice: true},
		"before, and no device is shown": {effect: sandbox.DropBeforeCommit(), omitDevice: true},
		"with a 503 before":              {effect: refusal(http.StatusServiceUnavailable, "UNAVAILABLE")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inCAMARA(t, qodtest.Options{Sandbox: sandbox.Config{Provisioning: sandbox.Instant, OmitDevice: test.omitDevice}}, func(t *testing.T, n *qodtest.Network) {
				n.LearnTime()
				other := camaraSpec()
				other.ApplicationServer = &qod.ApplicationServer{IPv4Address: "203.0.113.0/24"}
				if _, err := n.Create(t.Context(), other); err != nil { // another flow of the device
					t.Fatal(err)
				}
				n.InjectFault(sandbox.OpCreate, 1, test.effect)
				s, err := n.Create(qodtest.WithTimeout(t, 5*time.Minute), camaraSpec())
				if err != nil {
					t.Fatal(err)
				}
				live := n.Ledger()
				if len(live) != 2 || live[1].ID != s.ID {
					t.Errorf("the network has %v, the create returned %s", qodtest.IDs(live), s.ID)
				}
			})
		})
	}
}

// A lost answer is found as well where the network spells the flow of its session in another way,
// or so that it cannot be read: what is not known may be the flow that was asked for.
func TestCAMARAV1LostAnswersOfFlowsSpelledOtherwise(t *testing.T) {
	t.Parallel()
	for member, values := range map[string][]string{
		"applicationServer": {
			`{"ipv4Address":"::ffff:198.51.100.0/120"}`, `{"ipv6Address":"::ffff:198.51.100.7"}`, `{"ipv4Address":" 198.51.100.0/24 "}`,
			`{"ipv4Address":"198.51.***.***"}`, `{"ipv4Address":"198.51.100.0/255.255.255.0"}`, `{"ipv4Address":"198.51.100.7:443"}`,
			`{"ipv4Address":"0.0.0.0"}`, `{"ipv4Address":"198.51.100.0/24","ipv6Address":"::"}`, `"198.51.100.0/24"`, `["198.51.100.0/24"]`,
		},
		"applicationServerPorts": {
			`{"ports":["443"]}`, `{"ports":[443.0]}`, `{"ports":["https"]}`, `{"ports":[null]}`, `{"ports":[0]}`, `{"ports":"443","ranges":[{"from":1,"to":2}]}`,
			`{"ranges":[{"from":"400","to":"500"}]}`, `{"ranges":[{"from":0,"to":0}]}`, `{"ranges":[{"min":400,"max":500}]}`, `{"ranges":["400-500"]}`, `[443]`,
		},
	} {
		for _, value := range values {
			t.Run(member+" "+value, func(t *testing.T) {
				t.Parallel()
				inCAMARA(t, qodtest.Options{Sandbox: sandbox.Config{Provisioning: sandbox.Instant}}, func(t *testing.T, n *qodtest.Network) {
					n.LearnTime()
					n.Echo(func(info map[string]any) { info[member] = json.RawMessage(value) })
					spec := camaraSpec()
					spec.ApplicationServerPorts = &qod.Ports{Ports: []int64{443}}
					n.InjectFault(sandbox.OpCreate, 1, sandbox.DropAfterCommit())
					s, err := n.Create(qodtest.WithTimeout(t, 5*time.Minute), spec)
					if live := n.Ledger(); err != nil || len(live) != 1 || live[0].ID != s.ID {
						t.Errorf("%v, %v; the network has %v", s, err, qodtest.IDs(live))
					}
					qodtest.Equal(t, "POSTs", n.Count(sandbox.OpCreate), 1)
				})
			})
		}
	}
}

// Two flows of a device are two sessions, and the error for the same flow names the session that is
// in its way.
func TestCAMARAV1ConflictsAreOfFlows(t *testing.T) {
	t.Parallel()
	inCAMARA(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		first := camaraSpec()
		first.ApplicationServerPorts = &qod.Ports{Ports: []int64{443}}
		s, err := n.Create(t.Context(), first)
		if err != nil {
			t.Fatal(err)
		}
		config := qodtest.ConfigOf(n.Sandbox, qodtest.Gateway)
		config.Transport = n.Transport()
		n.Connect(config, nil) // another process
		second := camaraSpec()
		second.ApplicationServerPorts = &qod.Ports{Ports: []int64{8443}}
		if _, err := n.Create(t.Context(), second); err != nil {
			t.Errorf("another flow: %v", err)
		}
		_, err = n.Create(qodtest.WithTimeout(t, time.Minute), first)
		var conflict *qod.ConflictError
		if !errors.As(err, &conflict) || len(conflict.Visible) != 1 || conflict.Visible[0].ID != s.ID {
			t.Errorf("the same flow: %+v", err)
		}
	})
}

// Some gateways have a 404 for a list of nothing. It lists nothing, but it proves nothing either: a
// gateway that does not know the path may say the same.
func TestCAMARAV1ListOfNothing(t *testing.T) {
	t.Parallel()
	inCAMARA(t, qodtest.Options{Sandbox: sandbox.Config{Provisioning: sandbox.Instant}}, func(t *testing.T, n *qodtest.Network) {
		ref := extended(t, n)
		n.InjectFault(sandbox.OpList, -1, refusal(http.StatusNotFound, "NOT_FOUND"))
		if found, err := n.List(t.Context(), qod.Filter{Device: ref.Device}); err != nil || len(found) > 0 {
			t.Errorf("%v, %v", found, err)
		}
		n.InjectFault(sandbox.OpRead, -1, refusal(http.StatusNotFound, "NOT_FOUND"))
		if _, err := n.Read(t.Context(), ref); !qodtest.IsError[*qod.UnprovenError](err) {
			t.Errorf("it is gone by two paths that may be wrong: %v", err)
		}
		other := camaraSpec()
		other.ApplicationServer = &qod.ApplicationServer{IPv4Address: "203.0.113.0/24"}
		n.InjectFault(sandbox.OpCreate, 1, sandbox.DropAfterCommit())
		before := n.Count(sandbox.OpCreate)
		if _, err := n.Create(t.Context(), other); !qodtest.IsError[*qod.UnresolvedError](err) {
			t.Error(err)
		}
		qodtest.Equal(t, "POSTs", n.Count(sandbox.OpCreate)-before, 1)
	})
}

// Entries without an id may be the session of a lost answer also where there were some before.
func TestCAMARAV1LostAnswerAmongEntriesWithoutIDs(t *testing.T) {
	t.Parallel()
	inCAMARA(t, qodtest.Options{Sandbox: sandbox.Config{Provisioning: sandbox.Instant}}, func(t *testing.T, n *qodtest.Network) {
		n.LearnTime()
		other := camaraSpec()
		other.ApplicationServer = &qod.ApplicationServer{IPv4Address: "203.0.113.0/24"}
		if _, err := n.Create(t.Context(), other); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		n.Echo(func(info map[string]any) { delete(info, "sessionId"); delete(info, "applicationServer") })
		n.InjectFault(sandbox.OpCreate, 1, sandbox.DropAfterCommit())
		if _, err := n.Create(t.Context(), camaraSpec()); !qodtest.IsError[*qod.UnresolvedError](err) {
			t.Error(err)
		}
		qodtest.Equal(t, "POSTs", n.Count(sandbox.OpCreate), 2)
	})
}

// A 404 of a session is believed when the list of its device does not show it.
func TestCAMARAV1GoneByTheDevicesList(t *testing.T) {
	t.Parallel()
	inCAMARA(t, qodtest.Options{Sandbox: sandbox.Config{Provisioning: sandbox.Instant}}, func(t *testing.T, n *qodtest.Network) {
		s := n.SeedSession(sandbox.Session{})
		ref := qod.Ref{ID: s.ID, Device: camaraSpec().Device}
		n.InjectFault(sandbox.OpRead, -1, refusal(http.StatusNotFound, "NOT_FOUND"))
		if _, err := n.Read(t.Context(), ref); err != nil {
			t.Errorf("a session that the list shows: %v", err)
		}
		n.Remove(s.ID)
		time.Sleep(time.Minute)
		if _, err := n.Read(t.Context(), ref); !qod.IsGone(err) {
			t.Errorf("a session that it does not show: %v", err)
		}
	})
}

// A list of a hundred sessions may have been cut, so what it does not show may exist.
func TestCAMARAV1ListOfAHundred(t *testing.T) {
	t.Parallel()
	for count, complete := range map[int]bool{99: true, 100: false} {
		inCAMARA(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
			for range count {
				n.SeedSession(sandbox.Session{})
			}
			found, err := n.List(t.Context(), qod.Filter{Device: camaraSpec().Device})
			var incomplete *qod.IncompleteListError
			if len(found) != count || errors.As(err, &incomplete) == complete {
				t.Errorf("%d sessions: %d, %v", count, len(found), err)
			}
		})
	}
}

func TestCAMARAV1ListNeedsADevice(t *testing.T) {
	t.Parallel()
	inCAMARA(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		if _, err := n.List(t.Context(), qod.Filter{}); !errors.Is(err, qod.ErrListNeedsDevice) {
			t.Error(err)
		}
		qodtest.Equal(t, "requests", n.Count(sandbox.OpList), 0)
	})
}

// The time is learned without a device, and without anybody's consent.
func TestCAMARAV1TimeNeedsNoToken(t *testing.T) {
	t.Parallel()
	inCAMARA(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		now, err := n.Now(t.Context())
		if err != nil || time.Since(now).Abs() > 2*time.Second {
			t.Errorf("%v, %v", now, err)
		}
		qodtest.Equal(t, "tokens", n.Count(sandbox.OpToken), 0)
		qodtest.Equal(t, "lists", n.Count(sandbox.OpList), 2)
	})
}

// A window that is longer than a session of the profile may last gets the longest there is.
func TestCAMARAV1WindowLongerThanTheProfile(t *testing.T) {
	t.Parallel()
	wantWindows(t, inCAMARA, "long-event")
}

// Where the profile cannot be asked for, the refusal of a window says so, and stays what it is.
func TestCAMARAV1ProfileOutOfReach(t *testing.T) {
	t.Parallel()
	inCAMARA(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		n.InjectFault(sandbox.OpProfiles, -1, refusal(http.StatusForbidden, "PERMISSION_DENIED"))
		spec := camaraSpec()
		spec.QoSProfile, spec.Seconds, spec.Until = "live-uplink", 0, time.Now().Add(10*time.Hour)
		_, err := n.Create(t.Context(), spec)
		refused := qodtest.ErrorAs[*qod.Error](t, err)
		if refused.Status != http.StatusBadRequest || qodtest.ErrorAs[*qod.Error](t, refused.NoLimit).Code != "PERMISSION_DENIED" {
			t.Errorf("%v", err)
		}
		qodtest.Equal(t, "POSTs", n.Count(sandbox.OpCreate), 1)
	})
}

// A gateway that shows all profiles, whichever is asked for, shows that one too.
func TestCAMARAV1ProfilesNotSelected(t *testing.T) {
	t.Parallel()
	inCAMARA(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		n.InjectFault(sandbox.OpProfiles, -1, sandbox.Status(http.StatusOK, `[{"name":"QOS_L","maxDuration":{"value":1,"unit":"Days"}},`+
			`{"name":"live-uplink","maxDuration":{"value":6,"unit":"Hours"}}]`))
		spec := camaraSpec()
		spec.QoSProfile, spec.Seconds, spec.Until = "live-uplink", 0, time.Now().Add(10*time.Hour)
		if s, err := n.Create(t.Context(), spec); err != nil || s.Seconds != 6*3600 {
			t.Errorf("%d s, %v", s.Seconds, err)
		}
	})
}

// Whoever may not see the profiles can reserve all the same, but not more than fits.
func TestCAMARAV1ProfilesHaveTheirOwnScope(t *testing.T) {
	t.Parallel()
	reserver := sandbox.ClientCredentials{ID: "reserver", Secret: "s", Scopes: qod.LimitsOf(qod.CAMARAV1).Scopes}
	options := qodtest.Options{
		Sandbox: sandbox.Config{Clients: []sandbox.ClientCredentials{reserver}},
		Client:  func(c *qod.Config) { c.ClientID, c.ClientSecret = reserver.ID, reserver.Secret },
	}
	inCAMARA(t, options, func(t *testing.T, n *qodtest.Network) {
		if _, err := n.Create(t.Context(), camaraSpec()); err != nil {
			t.Fatal(err)
		}
		var refused *qod.TokenError
		if _, err := n.Profiles(t.Context(), qod.ProfileFilter{}); !errors.As(err, &refused) {
			t.Errorf("profiles: %v", err)
		}
	})
	inCAMARA(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		found, err := n.Profiles(t.Context(), qod.ProfileFilter{Name: "live-uplink"})
		want := []qod.Profile{{
			Name: "live-uplink", Description: "Uplink of a live camera", Status: "ACTIVE",
			MinSeconds: 60, MaxSeconds: 6 * 3600, MaxUpstreamRate: 40e6, MaxDownstreamRate: 5e6,
		}}
		if diff := cmp.Diff(want, found); diff != "" || err != nil {
			t.Error(err, diff)
		}
	})
}

// extended is a live session of the device, and what refers to it.
func extended(t *testing.T, n *qodtest.Network) qod.Ref {
	t.Helper()
	n.LearnTime()
	s, err := n.Create(t.Context(), camaraSpec())
	if err != nil {
		t.Fatal(err)
	}
	return camaraRef(s.ID)
}

// An extension is asked for once, whatever happens to its answer, and what was granted is returned.
func TestCAMARAV1Extends(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fault     *sandbox.Effect
		by        time.Duration
		remaining bool
		want      time.Duration // of the whole session; 0: refused
		posts     int
	}{
		"granted":             {by: time.Hour, want: 2 * time.Hour, posts: 1},
		"not needed":          {by: -time.Minute, want: time.Hour, posts: 0},
		"lost before":         {fault: new(sandbox.DropBeforeCommit()), by: time.Hour, want: 2 * time.Hour, posts: 2},
		"lost after":          {fault: new(sandbox.DropAfterCommit()), by: time.Hour, want: 2 * time.Hour, posts: 1},
		"capped in total":     {by: 30 * time.Hour, want: 24 * time.Hour, posts: 1},
		"capped in remaining": {by: 30 * time.Hour, remaining: true, want: 24 * time.Hour, posts: 1},
		"lost, and capped":    {fault: new(sandbox.DropAfterCommit()), by: 30 * time.Hour, want: 24 * time.Hour, posts: 1},
		"a 502 after":         {fault: new(sandbox.StatusAfterCommit(http.StatusBadGateway, "")), by: time.Hour, want: 2 * time.Hour, posts: 1},
		"carried out twice":   {fault: new(sandbox.Duplicate()), by: time.Hour, want: 3 * time.Hour, posts: 1},
		"beyond the profile":  {fault: new(refusal(http.StatusBadRequest, "QUALITY_ON_DEMAND.DURATION_OUT_OF_RANGE")), by: 30 * time.Hour, want: 24 * time.Hour, posts: 2},
		"too long":            {fault: new(refusal(http.StatusBadRequest, "QUALITY_ON_DEMAND.DURATION_OUT_OF_RANGE")), by: time.Hour, posts: 1},
		"not implemented":     {fault: new(refusal(http.StatusNotImplemented, "NOT_IMPLEMENTED")), by: time.Hour, posts: 1},
		"refused":             {fault: new(refusal(http.StatusConflict, "QUALITY_ON_DEMAND.SESSION_EXTENSION_NOT_ALLOWED")), by: time.Hour, posts: 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := sandbox.Config{Provisioning: sandbox.Instant, ExtendRemaining: test.remaining}
			inCAMARA(t, qodtest.Options{Sandbox: config}, func(t *testing.T, n *qodtest.Network) {
				ref := extended(t, n)
				if test.fault != nil {
					n.InjectFault(sandbox.OpExtend, 1, *test.fault)
				}
				wantExtended(t, n, ref, test.by, test.want, test.posts)
			})
		})
	}
}

// A gateway that refuses what is beyond its limit grants as much as the profile allows, whatever it
// is that the profile limits: the session lasts a day, and is extended four hours before its end.
func TestCAMARAV1ExtendsBeyondTheProfile(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		remaining bool
		by, want  time.Duration
		posts     int
	}{
		{false, 30 * time.Hour, 0, 2},
		{false, time.Hour, 0, 1},
		{true, 30 * time.Hour, 44 * time.Hour, 2},
		{true, time.Hour, 25 * time.Hour, 1},
	} {
		t.Run(fmt.Sprintf("remaining %v, by %v", test.remaining, test.by), func(t *testing.T) {
			t.Parallel()
			config := sandbox.Config{Provisioning: sandbox.Instant, ExtendRemaining: test.remaining, ExtendRefuses: true}
			inCAMARA(t, qodtest.Options{Sandbox: config}, func(t *testing.T, n *qodtest.Network) {
				n.LearnTime()
				spec := camaraSpec()
				spec.Seconds = 24 * 3600
				s, err := n.Create(t.Context(), spec)
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(20 * time.Hour)
				wantExtended(t, n, camaraRef(s.ID), test.by, test.want, test.posts)
			})
		})
	}
}

// What the client makes of the refusals of the documents: the code reaches the caller, since each
// has its own advice, nothing is asked twice that stays refused, and only a 404 in the document's
// words, with a list that agrees, says that a session is gone.
func TestCAMARAV1Refusals(t *testing.T) {
	t.Parallel()
	const codePrefix = "QUALITY_ON_DEMAND."
	for _, test := range []struct {
		op     sandbox.Operation
		status int
		code   string
		sent   int  // requests of the operation
		ends   bool // it succeeds in the end
	}{
		{sandbox.OpCreate, 400, "INVALID_ARGUMENT", 1, false},
		{sandbox.OpCreate, 400, "OUT_OF_RANGE", 1, false},
		{sandbox.OpCreate, 400, codePrefix + "DURATION_OUT_OF_RANGE", 1, false},
		{sandbox.OpCreate, 400, "INVALID_CREDENTIAL", 1, false},
		{sandbox.OpCreate, 400, "INVALID_TOKEN", 1, false},
		{sandbox.OpCreate, 400, "INVALID_SINK", 1, false},
		{sandbox.OpCreate, 401, "UNAUTHENTICATED", 2, true},
		{sandbox.OpCreate, 403, "PERMISSION_DENIED", 1, false},
		{sandbox.OpCreate, 403, "INVALID_TOKEN_CONTEXT", 1, false}, // 0.11
		{sandbox.OpCreate, 404, "IDENTIFIER_NOT_FOUND", 1, false},
		{sandbox.OpCreate, 404, "DEVICE_NOT_FOUND", 1, false}, // 0.11
		{sandbox.OpCreate, 404, "NOT_FOUND", 1, false},
		{sandbox.OpCreate, 422, "SERVICE_NOT_APPLICABLE", 1, false},
		{sandbox.OpCreate, 422, "MISSING_IDENTIFIER", 1, false},
		{sandbox.OpCreate, 422, "UNSUPPORTED_IDENTIFIER", 1, false},
		{sandbox.OpCreate, 422, "UNNECESSARY_IDENTIFIER", 1, false},
		{sandbox.OpCreate, 422, "IDENTIFIER_MISMATCH", 1, false}, // 1.0
		{sandbox.OpCreate, 422, codePrefix + "QOS_PROFILE_NOT_APPLICABLE", 1, false},
		{sandbox.OpCreate, 429, "QUOTA_EXCEEDED", 1, false},
		{sandbox.OpCreate, 429, "TOO_MANY_REQUESTS", 2, true},

		{sandbox.OpRead, 400, "INVALID_ARGUMENT", 1, false},
		{sandbox.OpRead, 401, "UNAUTHENTICATED", 2, true},
		{sandbox.OpRead, 403, "PERMISSION_DENIED", 1, false},
		{sandbox.OpRead, 429, "TOO_MANY_REQUESTS", 2, true},

		{sandbox.OpDelete, 400, "INVALID_ARGUMENT", 1, false},
		{sandbox.OpDelete, 401, "UNAUTHENTICATED", 2, true},
		{sandbox.OpDelete, 403, "PERMISSION_DENIED", 1, false},
		{sandbox.OpDelete, 404, "NOT_FOUND", 2, true}, // the list shows the session
		{sandbox.OpDelete, 429, "TOO_MANY_REQUESTS", 2, true},

		{sandbox.OpExtend, 400, "OUT_OF_RANGE", 1, false},
		{sandbox.OpExtend, 401, "UNAUTHENTICATED", 2, true},
		{sandbox.OpExtend, 403, "PERMISSION_DENIED", 1, false},
		{sandbox.OpExtend, 404, "NOT_FOUND", 1, false},
		{sandbox.OpExtend, 429, "TOO_MANY_REQUESTS", 2, true},

		{sandbox.OpList, 400, "INVALID_ARGUMENT", 1, false},
		{sandbox.OpList, 401, "UNAUTHENTICATED", 2, true},
		{sandbox.OpList, 403, "PERMISSION_DENIED", 1, false},
		{sandbox.OpList, 404, "IDENTIFIER_NOT_FOUND", 1, false},
		{sandbox.OpList, 404, "DEVICE_NOT_FOUND", 1, false}, // 0.11
		{sandbox.OpList, 422, "SERVICE_NOT_APPLICABLE", 1, false},
		{sandbox.OpList, 422, "UNNECESSARY_IDENTIFIER", 1, false},
		{sandbox.OpList, 429, "TOO_MANY_REQUESTS", 2, true},
	} {
		name := fmt.Sprint(test.op, " ", test.status, " ", test.code)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inCAMARA(t, qodtest.Options{Sandbox: sandbox.Config{Provisioning: sandbox.Instant}}, func(t *testing.T, n *qodtest.Network) {
				ref := qod.Ref{}
				if test.op != sandbox.OpCreate {
					ref = extended(t, n)
				}
				before := n.Ledger()
				sent := n.Count(test.op)
				n.InjectFault(test.op, 1, refusal(test.status, test.code))
				ctx := qodtest.WithTimeout(t, 5*time.Minute)
				var err error
				switch test.op {
				case sandbox.OpCreate:
					_, err = n.Create(ctx, camaraSpec())
				case sandbox.OpRead:
					_, err = n.Read(ctx, ref)
				case sandbox.OpDelete:
					err = n.Delete(ctx, ref)
				case sandbox.OpExtend:
					_, err = n.Extend(ctx, ref, n.Ledger()[0].ExpiresAt.Add(time.Hour))
				default:
					_, err = n.List(ctx, qod.Filter{Device: ref.Device})
				}
				qodtest.Equal(t, "requests", n.Count(test.op)-sent, test.sent)
				if test.ends {
					if err != nil {
						t.Error(err)
					}
					return
				}
				var refused *qod.Error
				if !errors.As(err, &refused) || refused.Code != test.code || refused.Status != test.status || qod.IsGone(err) {
					t.Errorf("%v", err)
				}
				if diff := cmp.Diff(before, n.Ledger()); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// In 1.2, the answer to a create may say that the network cannot grant it.
func TestCAMARAV1UnavailableAtOnce(t *testing.T) {
	t.Parallel()
	inCAMARA(t, qodtest.Options{Sandbox: sandbox.Config{Provisioning: time.Hour}}, func(t *testing.T, n *qodtest.Network) {
		n.Before(sandbox.OpCreate, func(int, *http.Request) {
			n.Echo(func(info map[string]any) { info["qosStatus"], info["statusInfo"] = "UNAVAILABLE", "NETWORK_TERMINATED" })
		})
		s, err := n.Create(t.Context(), camaraSpec())
		if err != nil || s.Status != qod.StatusUnavailable || s.StatusInfo != "NETWORK_TERMINATED" {
			t.Errorf("created %+v, %v", s, err)
		}
		qodtest.Equal(t, "POSTs", n.Count(sandbox.OpCreate), 1)
	})
}
