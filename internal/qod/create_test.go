// A create sends what was requested and nothing else; the sandbox refuses what is not in the API
// document.
package qod_test

import (
	"testing"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// The body has every field of the request, and no other.
func TestCreateSendsTheDocument(t *testing.T) {
	t.Parallel()
	port := int64(0)
	tests := map[string]struct {
		spec qod.Spec
		body string
	}{
		"the least": {qodtest.Spec(), `{"device":{"phoneNumber":"+34600000001"},"qosProfile":"QOS_E","duration":3600}`},
		"the most": {
			qod.Spec{
				Device: qod.Device{
					PhoneNumber: qodtest.Phone, NetworkAccessIdentifier: "a@example.com",
					IPv4Address: &qod.IPv4Address{PublicAddress: "203.0.113.7", PublicPort: &port}, IPv6Address: "2001:db8::1",
				},
				ApplicationServer: &qod.ApplicationServer{IPv4Address: "198.51.100.0/24", IPv6Address: "2001:db8:1::/48"},
				QoSProfile:        "QOS_L", Seconds: 86400,
				NotificationURL: "https://hooks.example/qod?x=1&y=<2>", NotificationAuthToken: `a"b<c>`,
			},
			`{"device":{"phoneNumber":"+34600000001","networkAccessIdentifier":"a@example.com",` +
				`"ipv4Address":{"publicAddress":"203.0.113.7","publicPort":0},"ipv6Address":"2001:db8::1"},` +
				`"applicationServer":{"ipv4Address":"198.51.100.0/24","ipv6Address":"2001:db8:1::/48"},` +
				`"qosProfile":"QOS_L","duration":86400,` +
				`"notificationUrl":"https://hooks.example/qod?x=1\u0026y=\u003c2\u003e","notificationAuthToken":"a\"b\u003cc\u003e"}`,
		},
		"no port": {
			qod.Spec{Device: qod.Device{IPv4Address: &qod.IPv4Address{PublicAddress: "203.0.113.7"}}, QoSProfile: "QOS_S", Seconds: 1},
			`{"device":{"ipv4Address":{"publicAddress":"203.0.113.7"}},"qosProfile":"QOS_S","duration":1}`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
				s, err := n.Create(t.Context(), test.spec)
				if err != nil {
					t.Fatal(err)
				}
				sent := n.Requests(sandbox.OpCreate)[0]
				qodtest.Equal(t, "body", string(sent.Body), test.body)
				qodtest.Equal(t, "type", sent.Header.Get("Content-Type"), qodtest.JSON)
				qodtest.Equal(t, "status", s.Status, qod.StatusRequested)
				qodtest.Equal(t, "profile", s.QoSProfile, test.spec.QoSProfile)
				qodtest.Equal(t, "seconds", s.Seconds, test.spec.Seconds)
				if !test.spec.Device.Matches(s.Device) {
					t.Error("another device came back")
				}
			})
		})
	}
}
