package sandbox_test

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// clientRun is the provider's client on a network, with all that passes between them judged by the
// API's documents: what the client sends by each of them, also what the network refuses.
type clientRun struct {
	*qodtest.Network

	mu   sync.Mutex
	seen map[string]bool // operations with the status and the code of their answer
}

// clientOf runs f with a client.
func clientOf(t *testing.T, config sandbox.Config, f func(r *clientRun)) map[string]bool {
	t.Helper()
	config.API = cmp.Or(config.API, sandbox.CAMARAV1)
	run := &clientRun{seen: map[string]bool{}}
	qodtest.InBubble(t, qodtest.Options{Sandbox: config, Intercept: run.intercept}, func(_ *testing.T, n *qodtest.Network) {
		run.Network = n
		f(run)
	})
	return run.seen
}

func (r *clientRun) intercept(n *qodtest.Network, request *http.Request, next http.RoundTripper) (*http.Response, error) {
	var sent []byte
	if request.Body != nil {
		sent, _ = io.ReadAll(request.Body)
		request.Body = io.NopCloser(bytes.NewReader(sent))
	}
	response, err := next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	received := qodtest.Body(n.T, response)
	what := n.CheckExchange(n.T, sandbox.Exchanged{
		Request: request.Clone(request.Context()), Sent: sent, Status: response.StatusCode, Header: response.Header, Received: []byte(received),
	}, true)
	r.mu.Lock()
	defer r.mu.Unlock()
	if what != "" {
		r.seen[what] = true
	}
	return response, nil
}

// wants checks how an operation ends: empty is without an error.
func (r *clientRun) wants(code string, err error) {
	r.T.Helper()
	got := ""
	var refused *qod.Error
	switch {
	case errors.As(err, &refused):
		got = refused.Code
	case err != nil:
		got = err.Error()
	}
	if got != code {
		r.T.Errorf("%v, want %q", err, code)
	}
}

// request is an hour of QOS_L.
func request(change func(*qod.Spec)) qod.Spec {
	s := qodtest.Spec()
	s.QoSProfile, s.ApplicationServer = "QOS_L", &qod.ApplicationServer{IPv4Address: "198.51.100.0/24"}
	if change != nil {
		change(&s)
	}
	return s
}

// All operations of the client, with all that they can contain, and all refusals that it meets.
func TestCAMARAV1ClientByTheDocuments(t *testing.T) {
	t.Parallel()
	unknown, unserved := "+34600000404", "+34600000422"
	for _, path := range []string{"/quality-on-demand/v1", "/quality-on-demand/v0.11"} {
		seen := clientOf(t, sandbox.Config{
			APIPath: path, Provisioning: time.Second, TokenLifetime: 24 * time.Hour,
			UnknownDevices: []sandbox.Device{{PhoneNumber: unknown}}, UnservedDevices: []sandbox.Device{{PhoneNumber: unserved}},
			Clients: []sandbox.ClientCredentials{sandbox.DefaultClient, {ID: "other", Secret: "s"}, {ID: "reader", Secret: "s", Scopes: []string{"quality-on-demand:sessions:read"}}},
		}, func(r *clientRun) {
			r.everything()
			r.refusals(unknown, unserved)
		})
		want := []string{
			"create 201", "create 400 INVALID_ARGUMENT", "create 400 QUALITY_ON_DEMAND.DURATION_OUT_OF_RANGE",
			"create 404 IDENTIFIER_NOT_FOUND", "create 409 CONFLICT", "create 422 QUALITY_ON_DEMAND.QOS_PROFILE_NOT_APPLICABLE", "create 422 SERVICE_NOT_APPLICABLE",
			"delete 204", "delete 403 PERMISSION_DENIED", "delete 404 NOT_FOUND",
			"extend 200", "extend 409 QUALITY_ON_DEMAND.SESSION_EXTENSION_NOT_ALLOWED",
			"list 200", "list 401 UNAUTHENTICATED", "list 404 IDENTIFIER_NOT_FOUND", "list 422 SERVICE_NOT_APPLICABLE",
			"profiles 200", "profiles 404 IDENTIFIER_NOT_FOUND",
			"read 200", "read 403 PERMISSION_DENIED", "read 404 NOT_FOUND",
		}
		if diff := gocmp.Diff(want, slices.Sorted(maps.Keys(seen))); diff != "" {
			t.Errorf("%s: what was judged (-want +got):\n%s", path, diff)
		}
	}
}

// With tokens that are bound to a device, no request names one.
func TestCAMARAV1BoundClientByTheDocuments(t *testing.T) {
	t.Parallel()
	var run *clientRun
	seen := clientOf(t, sandbox.Config{Provisioning: time.Second}, func(r *clientRun) {
		run = r
		t := r.T // the bubble's
		r.connect(func(c *qod.Config) {
			c.Grant, c.Scopes = qod.CIBA, append(qod.DefaultScopes(c.API, qod.CIBA), "qos-profiles:read")
		})
		for _, device := range []qod.Device{qodtest.Spec().Device, address("203.0.113.9", "", 5000), {IPv6Address: "2001:db8::7"}} {
			s, err := r.Create(qodtest.WithTimeout(t, time.Minute), request(func(s *qod.Spec) { s.Device = device }))
			r.wants("", err)
			ref := qod.Ref{ID: s.ID, Device: device, QoSProfile: "QOS_L"}
			s, err = r.Await(qodtest.WithTimeout(t, time.Minute), ref)
			r.wants("", err)
			_, err = r.Extend(t.Context(), ref, s.ExpiresAt.Add(time.Hour))
			r.wants("", err)
			listed, err := r.List(t.Context(), qod.Filter{Device: device})
			r.wants("", err)
			profiles, err := r.Profiles(t.Context(), qod.ProfileFilter{Device: device})
			r.wants("", err)
			if len(listed) != 1 || listed[0].ID != s.ID || len(profiles) == 0 {
				t.Errorf("listed %v, want %s; profiles %v", listed, s.ID, profiles)
			}
			r.wants("", r.Delete(t.Context(), ref))
		}
	})
	if diff := gocmp.Diff([]string{"create 201", "delete 204", "extend 200", "list 200", "profiles 200", "read 200"}, slices.Sorted(maps.Keys(seen))); diff != "" {
		t.Errorf("what was judged (-want +got):\n%s", diff)
	}
	for _, sent := range run.Requests(sandbox.OpCreate, sandbox.OpList, sandbox.OpProfiles) {
		if bytes.Contains(sent.Body, []byte("device")) {
			t.Errorf("%s %s names a device: %s", sent.Method, sent.Path, sent.Body)
		}
	}
}

// everything is each operation with each of its members.
func (r *clientRun) everything() {
	t := r.T
	for name, change := range map[string]func(*qod.Spec){
		"a number":                  nil,
		"an address with a port":    func(s *qod.Spec) { s.Device = address("203.0.113.9", "", 65535) },
		"one with a private one":    func(s *qod.Spec) { s.Device = address("203.0.113.10", "10.0.0.1", 0) },
		"an IPv6 address":           func(s *qod.Spec) { s.Device = qod.Device{IPv6Address: "2001:db8::7"} },
		"a server of both families": func(s *qod.Spec) { s.ApplicationServer.IPv6Address = "2001:db8::/32" },
		"a server of IPv6":          func(s *qod.Spec) { s.ApplicationServer = &qod.ApplicationServer{IPv6Address: "2001:db8::7"} },
		"all servers":               func(s *qod.Spec) { s.ApplicationServer.IPv4Address = "0.0.0.0/0" },
		"the longest there is":      func(s *qod.Spec) { s.QoSProfile, s.Seconds = "long-event", 7*24*3600 },
		"the shortest there is":     func(s *qod.Spec) { s.Seconds = 1 },
		"a sink":                    func(s *qod.Spec) { s.NotificationURL = "https://hook.example/x?y=z" },
		"a token of default length": func(s *qod.Spec) {
			s.NotificationURL, s.NotificationAuthToken = "https://hook.example", "the token"
		},
		"everything": func(s *qod.Spec) {
			s.Device = address("203.0.113.11", "10.0.0.2", 5000)
			s.Device.PhoneNumber, s.Device.IPv6Address = qodtest.Phone, "2001:db8::9"
			s.ApplicationServer.IPv6Address = "2001:db8::/64"
			s.DevicePorts = &qod.Ports{Ports: []int64{1, 65535}, Ranges: []qod.PortRange{{From: 5000, To: 5010}}}
			s.ApplicationServerPorts = &qod.Ports{Ranges: []qod.PortRange{{From: 443, To: 443}}, Ports: []int64{8443}}
			s.NotificationURL, s.NotificationAuthToken = "https://hook.example", "the token"
			s.NotificationAuthTokenExpiresAt = time.Now().Add(48*time.Hour + time.Nanosecond).In(time.FixedZone("", 3600))
		},
	} {
		spec := request(change)
		if problems := r.Check(spec); len(problems) > 0 {
			t.Errorf("%s is refused: %+v", name, problems)
		}
		s, err := r.Create(t.Context(), spec)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		ref := qod.Ref{ID: s.ID, Device: spec.Device, QoSProfile: spec.QoSProfile}
		if _, err := r.List(t.Context(), qod.Filter{Device: spec.Device}); err != nil {
			t.Errorf("%s: list: %v", name, err)
		}
		if name == "the longest there is" {
			if s, err = r.Await(t.Context(), ref); err != nil {
				t.Fatal(err)
			}
			r.Revoke(s.ID)
			if s, err = r.Read(t.Context(), ref); err != nil || s.Status != qod.StatusUnavailable {
				t.Errorf("revoked: %v, %v", s, err)
			}
		}
		if err := r.Delete(t.Context(), ref); err != nil {
			t.Errorf("%s: delete: %v", name, err)
		}
	}
	s, err := r.Create(t.Context(), request(nil))
	if err != nil {
		t.Fatal(err)
	}
	ref := qod.Ref{ID: s.ID, Device: qodtest.Spec().Device, QoSProfile: "QOS_L"}
	_, err = r.Await(t.Context(), ref)
	r.wants("", err)
	r.LearnTime()
	_, err = r.Extend(t.Context(), ref, time.Now().Add(3*time.Hour))
	r.wants("", err)
	for _, filter := range []qod.ProfileFilter{
		{}, {Name: "QOS_E", Status: "ACTIVE"}, {Device: qodtest.Spec().Device}, {Device: address("203.0.113.9", "10.0.0.1", 5000)},
	} {
		found, err := r.Profiles(t.Context(), filter)
		if err != nil || len(found) == 0 {
			t.Errorf("profiles: %v, %v", found, err)
		}
	}
}

// refusals are the errors of the documents that a client meets whose requests are right. There is a
// session of its device.
func (r *clientRun) refusals(unknown, unserved string) {
	t := r.T
	create := func(code string, change func(*qod.Spec)) {
		t.Helper()
		_, err := r.Create(qodtest.WithTimeout(t, time.Minute), request(change))
		r.wants(code, err)
	}
	create("INVALID_ARGUMENT", func(s *qod.Spec) { s.QoSProfile = "nobodys" })
	create("QUALITY_ON_DEMAND.DURATION_OUT_OF_RANGE", func(s *qod.Spec) { s.QoSProfile, s.Seconds = "live-uplink", 7*3600 })
	create("QUALITY_ON_DEMAND.QOS_PROFILE_NOT_APPLICABLE", func(s *qod.Spec) { s.QoSProfile = "retired" })
	create("IDENTIFIER_NOT_FOUND", func(s *qod.Spec) { s.Device.PhoneNumber = unknown })
	create("SERVICE_NOT_APPLICABLE", func(s *qod.Spec) { s.Device.PhoneNumber = unserved })
	if _, err := r.Profiles(t.Context(), qod.ProfileFilter{Device: qod.Device{PhoneNumber: unknown}}); err == nil {
		t.Error("profiles of a device that there is not")
	}

	device := qodtest.Spec().Device
	live := r.Ledger()[0]
	r.as("other")
	var conflict *qod.ConflictError
	if _, err := r.Create(qodtest.WithTimeout(t, time.Minute), request(nil)); !errors.As(err, &conflict) {
		t.Errorf("a second session for the flow: %v", err)
	}
	_, err := r.Read(t.Context(), qod.Ref{ID: live.ID, Device: device})
	r.wants("PERMISSION_DENIED", err)
	r.wants("PERMISSION_DENIED", r.Delete(t.Context(), qod.Ref{ID: live.ID, Device: device}))
	if _, err := r.Read(t.Context(), qod.Ref{ID: qodtest.SessionID, Device: device}); !qod.IsGone(err) {
		t.Errorf("a session that there is not: %v", err)
	}
	if err := r.Delete(t.Context(), qod.Ref{ID: qodtest.SessionID, Device: device}); err != nil && !qod.IsGone(err) {
		t.Errorf("it is deleted: %v", err)
	}

	r.as(sandbox.DefaultClient.ID)
	r.Edit(live.ID, func(s *sandbox.Session) { s.Status = sandbox.StatusUnavailable })
	_, err = r.Extend(t.Context(), qod.Ref{ID: live.ID, Device: device}, time.Now().Add(24*time.Hour))
	r.wants("QUALITY_ON_DEMAND.SESSION_EXTENSION_NOT_ALLOWED", err)
	r.RevokeTokens()
	create("", func(s *qod.Spec) { s.ApplicationServer.IPv4Address = "192.0.2.1" }) // with another token
	_, err = r.Now(t.Context())
	r.wants("", err)
}

// as goes on with another OAuth client.
func (r *clientRun) as(id string) {
	r.connect(func(c *qod.Config) {
		if id != sandbox.DefaultClient.ID {
			c.ClientID, c.ClientSecret = id, "s"
		}
	})
}

// connect goes on with a client that knows nothing yet.
func (r *clientRun) connect(change func(*qod.Config)) {
	config := qodtest.ConfigOf(r.Sandbox, qodtest.Gateway)
	config.Transport = r.Transport()
	r.Connect(config, change)
}

// address is a device behind a public address.
func address(public, private string, port int64) qod.Device {
	v4 := &qod.IPv4Address{PublicAddress: public, PrivateAddress: private}
	if port != 0 {
		v4.PublicPort = &port
	}
	return qod.Device{IPv4Address: v4}
}

// All operations of the client with 0.10, by CAMARA's document and by Telefónica's.
func TestCAMARAV0ClientByTheDocuments(t *testing.T) {
	t.Parallel()
	unknown, unserved := "+34600000404", "+34600000501"
	for telefonica, code := range map[bool]string{false: "PERMISSION_DENIED", true: "FORBIDDEN"} {
		seen := clientOf(t, sandbox.Config{
			API: sandbox.CAMARAV0, MockRules: telefonica, Provisioning: time.Second, TokenLifetime: 24 * time.Hour,
			UnknownDevices: []sandbox.Device{{PhoneNumber: unknown}}, UnservedDevices: []sandbox.Device{{PhoneNumber: unserved}},
			Clients: []sandbox.ClientCredentials{sandbox.DefaultClient, {ID: "other", Secret: "s"}},
		}, func(r *clientRun) {
			r.everythingOfV0()
			r.refusalsOfV0(unknown, unserved, code)
		})
		want := []string{
			"create 201", "create 400 INVALID_ARGUMENT", "create 400 OUT_OF_RANGE", "create 409 CONFLICT", "create 501 NOT_IMPLEMENTED",
			"delete 204", "delete 403 " + code, "delete 404 NOT_FOUND",
			"extend 200", "extend 400 INVALID_ARGUMENT",
			"profiles 200", "profiles 401 UNAUTHENTICATED", "profiles 404 NOT_FOUND",
			"read 200", "read 403 " + code, "read 404 NOT_FOUND",
		}
		if telefonica {
			want[slices.Index(want, "profiles 401 UNAUTHENTICATED")] = "profiles 401 UNAUTHORIZED"
		}
		if diff := gocmp.Diff(want, slices.Sorted(maps.Keys(seen))); diff != "" {
			t.Errorf("Telefónica's: %t: what was judged (-want +got):\n%s", telefonica, diff)
		}
	}
}

// everythingOfV0 is each operation with each of its members.
func (r *clientRun) everythingOfV0() {
	t := r.T
	const token = "webhook-token-of-some-length"
	for name, change := range map[string]func(*qod.Spec){
		"a number":               nil,
		"a network identifier":   func(s *qod.Spec) { s.Device = qod.Device{NetworkAccessIdentifier: "camera@operator.example"} },
		"an address with a port": func(s *qod.Spec) { s.Device = address("203.0.113.8", "", 65535) },
		"one with a private one": func(s *qod.Spec) { s.Device = address("203.0.113.10", "10.0.0.1", 0) },
		"an IPv6 address":        func(s *qod.Spec) { s.Device = qod.Device{IPv6Address: "2001:db8::7"} },
		"a server of IPv6":       func(s *qod.Spec) { s.ApplicationServer = &qod.ApplicationServer{IPv6Address: "2001:db8::7"} },
		"all servers":            func(s *qod.Spec) { s.ApplicationServer.IPv4Address = "0.0.0.0/0" },
		"the longest there is":   func(s *qod.Spec) { s.Seconds = 86_400 },
		"the shortest there is":  func(s *qod.Spec) { s.Seconds = 1 },
		"a webhook":              func(s *qod.Spec) { s.NotificationURL = "http://hook.example/x?y=z" },
		"everything": func(s *qod.Spec) {
			s.Device = address("203.0.113.11", "10.0.0.2", 5000)
			s.Device.PhoneNumber, s.Device.IPv6Address, s.Device.NetworkAccessIdentifier = qodtest.Phone, "2001:db8::8", "camera@operator.example"
			s.ApplicationServer.IPv6Address = "2001:db8::/64"
			s.DevicePorts = &qod.Ports{Ports: []int64{0, 65535}, Ranges: []qod.PortRange{{From: 5000, To: 5010}}}
			s.ApplicationServerPorts = &qod.Ports{Ranges: []qod.PortRange{{From: 443, To: 443}}, Ports: []int64{8443}}
			s.NotificationURL, s.NotificationAuthToken = "https://hook.example", token
		},
	} {
		spec := request(change)
		if problems := r.Check(spec); len(problems) > 0 {
			t.Errorf("%s is refused: %+v", name, problems)
		}
		s, err := r.Create(t.Context(), spec)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		ref := qod.Ref{ID: s.ID, Device: spec.Device, QoSProfile: spec.QoSProfile}
		if name == "everything" {
			_, err := r.Await(t.Context(), ref)
			r.wants("", err)
			r.Revoke(s.ID)
			if s, err = r.Read(t.Context(), ref); err != nil || s.Status != qod.StatusUnavailable {
				t.Errorf("revoked: %v, %v", s, err)
			}
		}
		if err := r.Delete(t.Context(), ref); err != nil {
			t.Errorf("%s: delete: %v", name, err)
		}
	}
	time.Sleep(2 * 366 * 24 * time.Hour) // to where seconds since 1970 have ten digits, as they do now
	s, err := r.Create(t.Context(), request(nil))
	if err != nil {
		t.Fatal(err)
	}
	ref := qod.Ref{ID: s.ID, Device: qodtest.Spec().Device, QoSProfile: "QOS_L"}
	_, err = r.Await(t.Context(), ref)
	r.wants("", err)
	_, err = r.Extend(t.Context(), ref, time.Now().Add(100*time.Hour)) // as far as the document allows
	r.wants("", err)
	for _, filter := range []qod.ProfileFilter{{}, {Name: "QOS_E"}, {Name: "QOS_E", Status: "ACTIVE"}} {
		if found, err := r.Profiles(t.Context(), filter); err != nil || len(found) == 0 {
			t.Errorf("profiles: %v, %v", found, err)
		}
	}
	if found, err := r.Profiles(t.Context(), qod.ProfileFilter{Status: "DEPRECATED"}); err != nil || len(found) > 0 {
		t.Errorf("profiles that there are not: %v, %v", found, err)
	}
}

// refusalsOfV0 are the errors of the documents that a client meets whose requests are right. There
// is a session of its device. The code is that of another client's session.
func (r *clientRun) refusalsOfV0(unknown, unserved, forbidden string) {
	t := r.T
	create := func(code string, change func(*qod.Spec)) {
		t.Helper()
		_, err := r.Create(qodtest.WithTimeout(t, time.Minute), request(change))
		r.wants(code, err)
	}
	create("INVALID_ARGUMENT", func(s *qod.Spec) { s.Device.PhoneNumber, s.QoSProfile = "+34600000002", "nobodys" })
	create("OUT_OF_RANGE", func(s *qod.Spec) {
		s.Device.PhoneNumber, s.QoSProfile, s.Seconds = "+34600000002", "live-uplink", 7*3600
	})
	create("INVALID_ARGUMENT", func(s *qod.Spec) { s.Device.PhoneNumber = unknown })
	create("NOT_IMPLEMENTED", func(s *qod.Spec) { s.Device.PhoneNumber = unserved })

	device := qodtest.Spec().Device
	live := r.Ledger()[0]
	r.as("other")
	var conflict *qod.ConflictError
	if _, err := r.Create(qodtest.WithTimeout(t, time.Minute), request(nil)); !errors.As(err, &conflict) {
		t.Errorf("a second session for the device: %v", err)
	}
	_, err := r.Read(t.Context(), qod.Ref{ID: live.ID, Device: device})
	r.wants(forbidden, err)
	r.wants(forbidden, r.Delete(t.Context(), qod.Ref{ID: live.ID, Device: device}))
	if _, err := r.Read(t.Context(), qod.Ref{ID: qodtest.SessionID, Device: device}); !qod.IsGone(err) {
		t.Errorf("a session that there is not: %v", err)
	}
	if err := r.Delete(t.Context(), qod.Ref{ID: qodtest.SessionID, Device: device}); !qod.IsGone(err) {
		t.Errorf("it is deleted: %v", err)
	}

	r.as(sandbox.DefaultClient.ID)
	r.Edit(live.ID, func(s *sandbox.Session) { s.Status = sandbox.StatusUnavailable })
	_, err = r.Extend(t.Context(), qod.Ref{ID: live.ID, Device: device}, time.Now().Add(200*time.Hour))
	r.wants("INVALID_ARGUMENT", err)
	r.as(sandbox.DefaultClient.ID) // which has to ask for the time
	_, err = r.Now(t.Context())
	r.wants("", err)
}
