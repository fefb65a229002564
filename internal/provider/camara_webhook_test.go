// Proves what arrives at the receiver of notifications that a configuration names: CAMARA's events,
// with the configured token, until that expires.

package provider

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// receiver is the server behind a notification URL.
type receiver struct {
	mu     sync.Mutex
	events []notification
}

// notification is what a receiver reads of an event.
type notification struct{ URL, Authorization, ContentType, Type, SessionID, Status, Info string }

func (r *receiver) RoundTrip(request *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return nil, err
	}
	var event struct {
		Type string
		Data struct{ SessionID, QoSStatus, StatusInfo string }
	}
	if err := json.Unmarshal(body, &event); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, notification{
		request.URL.String(), request.Header.Get("Authorization"), request.Header.Get("Content-Type"),
		event.Type, event.Data.SessionID, event.Data.QoSStatus, event.Data.StatusInfo,
	})
	return qodtest.Response(request, http.StatusNoContent, "", ""), nil
}

// expect checks what has arrived of a session since the last time, as statuses and reasons.
func (r *receiver) expect(network *acctest.Network, id string, want ...string) {
	network.T.Helper()
	network.Deliveries() // waits for those under way
	r.mu.Lock()
	defer r.mu.Unlock()
	var expected []notification
	for _, change := range want {
		status, info, _ := strings.Cut(change, " ")
		expected = append(expected, notification{
			"https://hook.example/qod?team=tv", "Bearer the-token", "application/cloudevents+json",
			"org.camaraproject.quality-on-demand.v1.qos-status-changed", id, status, info,
		})
	}
	if diff := cmp.Diff(expected, r.events); diff != "" {
		network.T.Errorf("notifications (-want +got):\n%s", diff)
	}
	r.events = nil
}

func TestCAMARA_webhook(t *testing.T) {
	t.Parallel()
	for _, resource := range []string{"session", "reservation"} {
		for name, test := range map[string]struct {
			expires string        // configured; empty: not
			until   time.Duration // after kick-off; what the network is told
			happens func(network *acctest.Network, id string)
			events  []string // after AVAILABLE
		}{
			"ended by the network": {
				until: 4 * time.Hour, events: []string{"UNAVAILABLE NETWORK_TERMINATED"},
				happens: func(n *acctest.Network, id string) { n.Revoke(id) },
			},
			"over": {
				until: 4 * time.Hour, events: []string{"UNAVAILABLE DURATION_EXPIRED"},
				happens: func(n *acctest.Network, _ string) { n.AtMatch(3*time.Hour + time.Minute) },
			},
			"after the token's expiry": {
				expires: "2028-02-29T21:15:00Z", until: time.Hour,
				happens: func(n *acctest.Network, id string) {
					n.AtMatch(2 * time.Hour)
					n.Revoke(id)
				},
			},
			"before it": {
				expires: "2028-02-29T21:15:00Z", until: time.Hour, events: []string{"UNAVAILABLE NETWORK_TERMINATED"},
				happens: func(n *acctest.Network, id string) {
					n.AtMatch(time.Hour - time.Minute)
					n.Revoke(id)
				},
			},
		} {
			hook := &receiver{}
			config := sandbox.Config{API: sandbox.CAMARAV1, Provisioning: time.Second, Webhooks: hook}
			t.Run(name+", "+resource, acc.InBubble(time.Hour, config, func(t *testing.T, network *acctest.Network) {
				lasts, run := extendable(network, resource)
				config := func(hours int) attrs {
					c := lasts(hours)
					c["notification_url"], c["notification_auth_token"] = "https://hook.example/qod?team=tv", "the-token"
					if test.expires != "" {
						c["notification_auth_token_expires_at"] = test.expires
					}
					return c
				}
				network.AtMatch(0)
				made := run(acctest.State{}, config(3))
				const early = "Notifications Stop Before the End"
				warned := strings.Join(made.Warnings(), "\n")
				if (test.expires != "") != strings.HasPrefix(warned, early) || strings.Count(acctest.Describe(made.Diagnostics), "WARNING") > 1 || made.Errors() != "" {
					t.Error(acctest.Describe(made.Diagnostics))
				}
				id := network.SessionIDs()[0]
				expectCredential(network, acctest.KickOff.Add(test.until))
				hook.expect(network, id, "AVAILABLE")
				test.happens(network, id)
				hook.expect(network, id, test.events...)
			}))
		}
		hook := &receiver{}
		config := sandbox.Config{API: sandbox.CAMARAV1, Webhooks: hook}
		t.Run("destroyed, "+resource, acc.InBubble(time.Hour, config, func(_ *testing.T, network *acctest.Network) {
			lasts, run := extendable(network, resource)
			config := lasts(3)
			config["notification_url"], config["notification_auth_token"] = "https://hook.example/qod?team=tv", "the-token"
			network.AtMatch(0)
			made := run(run(acctest.State{}, config).State, config)
			id := network.SessionIDs()[0]
			client := network.Client()
			if resource == "reservation" {
				client = client.Reservations()
			}
			client.Destroy(made.State)
			hook.expect(network, id, "AVAILABLE", "UNAVAILABLE DELETE_REQUESTED")
		}))
	}
}

// A token without an expiry of its own lasts as long as the window of a reservation, which its
// session may be extended to.
func TestCAMARA_webhookOfALongWindow(t *testing.T) {
	acc.InBubble(time.Hour, camaraNetwork, func(_ *testing.T, network *acctest.Network) {
		config := broadcast("QOS_L", 60)
		config["notification_url"], config["notification_auth_token"] = "https://hook.example/qod", "the-token"
		r := createScheduled(network, config)
		network.Expect(network.Run(r, config), "AVAILABLE", "POST")
		expectCredential(network, acctest.KickOff.Add(61*time.Hour))
	})(t)
}

// expectCredential checks the credential in the last request for a session.
func expectCredential(network *acctest.Network, until time.Time) {
	network.T.Helper()
	requests := network.Requests(sandbox.OpCreate)
	var sent struct{ SinkCredential map[string]string }
	if err := json.Unmarshal(requests[len(requests)-1].Body, &sent); err != nil {
		network.T.Fatal(err)
	}
	expires, err := time.Parse(time.RFC3339, sent.SinkCredential["accessTokenExpiresUtc"])
	if early := until.Sub(expires); err != nil || early.Abs() > 5*time.Second || expires.Location() != time.UTC {
		network.T.Errorf("the token expires at %v, want %v: %v", expires, until, err)
	}
	delete(sent.SinkCredential, "accessTokenExpiresUtc")
	want := map[string]string{"credentialType": "ACCESSTOKEN", "accessToken": "the-token", "accessTokenType": "bearer"}
	if diff := cmp.Diff(want, sent.SinkCredential); diff != "" {
		network.T.Errorf("credential (-want +got):\n%s", diff)
	}
}
