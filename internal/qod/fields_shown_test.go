// Proves that what an API returns of a request is read: no field can be forgotten in an answer,
// neither by the sandbox nor by the client.
package qod_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

func TestFieldsAreShown(t *testing.T) {
	t.Parallel()
	for _, api := range qod.APIs() {
		t.Run(string(api), func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{Sandbox: sandbox.Config{API: sandbox.API(api), Provisioning: sandbox.Instant}}, func(t *testing.T, n *qodtest.Network) {
				s := camaraSpec()
				s.DevicePorts, s.ApplicationServerPorts = &qod.Ports{Ports: []int64{5010}}, &qod.Ports{Ranges: []qod.PortRange{{From: 6010, To: 6020}}}
				shown := sharedFields()
				spec := reflect.ValueOf(&s).Elem()
				for _, name := range shown {
					if field := spec.FieldByName(name); field.Kind() == reflect.String && field.IsZero() {
						field.SetString("some-text")
					}
				}
				// What the API does not have is left out.
				for _, p := range qod.CheckFor(api, "", s) {
					for _, name := range shown {
						without := s
						reflect.ValueOf(&without).Elem().FieldByName(name).SetZero()
						if !slices.Contains(qod.CheckFor(api, "", without), p) {
							s = without
							break
						}
					}
				}
				ctx := qodtest.WithTimeout(t, time.Minute)
				created, err := n.Create(ctx, s)
				if err != nil {
					t.Fatal(err)
				}
				read, err := n.Read(ctx, qod.Ref{ID: created.ID, Device: s.Device})
				if err != nil {
					t.Fatal(err)
				}
				for _, name := range shown {
					if api == qod.OpenGateway && name == "ApplicationServer" {
						continue // the document returns none
					}
					sent, got := reflect.ValueOf(s).FieldByName(name).Interface(), reflect.ValueOf(read).FieldByName(name).Interface()
					qodtest.Equal(t, name, got, sent)
				}
			})
		})
	}
}

// sharedFields are the fields that a request and a session both have.
func sharedFields() (names []string) {
	session := reflect.TypeFor[qod.Session]()
	for _, field := range reflect.VisibleFields(reflect.TypeFor[qod.Spec]()) {
		if same, ok := session.FieldByName(field.Name); ok && same.Type == field.Type {
			names = append(names, field.Name)
		}
	}
	return names
}
