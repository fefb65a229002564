// Proves that a field which an API does not have is refused, and none dropped without a word.
package qod

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// settings sets each leaf of a Spec, one at a time, and returns them by the path of the Go fields.
func settings(at string, v reflect.Value, whole *Spec, visit func(at string, s Spec)) {
	switch v.Interface().(type) {
	case string:
		v.SetString("x")
	case int64:
		v.SetInt(1)
	case *int64:
		v.Set(reflect.ValueOf(new(int64)))
	case time.Time:
		v.Set(reflect.ValueOf(time.Unix(1, 0)))
	case *Ports:
		v.Set(reflect.ValueOf(&Ports{}))
	default:
		if v.Kind() == reflect.Pointer {
			v.Set(reflect.New(v.Type().Elem()))
			settings(at, v.Elem(), whole, visit)
			v.SetZero()
			return
		}
		for i := range v.NumField() {
			settings(at+"."+v.Type().Field(i).Name, v.Field(i), whole, visit)
		}
		return
	}
	visit(strings.TrimPrefix(at, "."), *whole)
	v.SetZero()
}

func TestMembers(t *testing.T) {
	t.Parallel()
	var spec Spec
	seen := map[Field]bool{}
	value := reflect.ValueOf(&spec).Elem()
	for i := range value.NumField() {
		name := value.Type().Field(i).Name
		if name == "Until" || name == "Unknown" { // the one is another form of Seconds, the other is never sent
			continue
		}
		settings(name, value.Field(i), &spec, func(at string, s Spec) {
			var set []Field
			for _, m := range s.members() {
				if m.set {
					set, seen[m.field] = append(set, m.field), true
				}
			}
			if len(set) == 0 {
				t.Errorf("%s is no field", at)
			}
			for _, d := range dialects {
				var refused []Field
				for _, p := range check(d.speaks, "", s) {
					refused = append(refused, p.Field)
				}
				for _, field := range set {
					if !slices.Contains(d.speaks.limits().fields, field) && !slices.Contains(refused, field) {
						t.Errorf("%s does not have %s, and does not refuse it", d.api, field)
					}
				}
			}
		})
	}
	for _, field := range Fields() {
		if !seen[field] {
			t.Errorf("nothing sets %s", field)
		}
	}
}

// What a document has is sent: no field of a dialect can be forgotten in its requests.
func TestFieldsAreSent(t *testing.T) {
	t.Parallel()
	port := int64(4711)
	spec := Spec{ //nolint:exhaustruct // every text that is left out is filled in below
		Device: Device{
			PhoneNumber: "+34600000010", NetworkAccessIdentifier: "camera@example.com", IPv6Address: "2001:db8::10",
			IPv4Address: &IPv4Address{PublicAddress: "198.51.100.10", PublicPort: &port, PrivateAddress: "10.0.0.10"},
		},
		ApplicationServer: &ApplicationServer{IPv4Address: "203.0.113.10", IPv6Address: "2001:db8:5::10"},
		DevicePorts:       &Ports{Ports: []int64{5010}}, ApplicationServerPorts: &Ports{Ports: []int64{6010}},
		Seconds: 7010, NotificationAuthTokenExpiresAt: time.Date(2030, 10, 10, 10, 10, 10, 0, time.UTC),
	}
	sent := map[Field]string{
		FieldPhoneNumber: spec.Device.PhoneNumber, FieldNetworkAccessIdentifier: spec.Device.NetworkAccessIdentifier,
		FieldPublicAddress: "198.51.100.10", FieldPublicPort: "4711", FieldPrivateAddress: "10.0.0.10", FieldIPv6Address: spec.Device.IPv6Address,
		FieldServerIPv4Address: "203.0.113.10", FieldServerIPv6Address: "2001:db8:5::10", FieldDevicePorts: "5010", FieldApplicationServerPorts: "6010",
		FieldDuration: "7010", FieldNotificationAuthTokenExpiresAt: "2030-10-10T10:10:10Z",
	}
	value := reflect.ValueOf(&spec).Elem()
	for i := range value.NumField() {
		if field := value.Field(i); field.Kind() == reflect.String && field.IsZero() {
			text := "text-of-" + value.Type().Field(i).Name
			var alone Spec
			reflect.ValueOf(&alone).Elem().Field(i).SetString(text)
			field.SetString(text)
			for _, m := range alone.members() {
				if m.set {
					sent[m.field] = text
				}
			}
		}
	}
	for _, d := range dialects {
		r, err := d.speaks.create(spec, false)
		if err != nil {
			t.Fatal(err)
		}
		var refused []Field
		for _, p := range check(d.speaks, "", spec) {
			refused = append(refused, p.Field)
		}
		for _, field := range d.speaks.limits().fields {
			if objects := []Field{FieldDevice, FieldIPv4Address, FieldApplicationServer}; sent[field] == "" && !slices.Contains(objects, field) {
				t.Errorf("what would show %s in a request?", field)
			}
			malformed := []Field{FieldQoSProfile, FieldNotificationURL} // they are sent, although their texts are refused
			if value := sent[field]; !strings.Contains(string(r.body), value) && (!slices.Contains(refused, field) || slices.Contains(malformed, field)) {
				t.Errorf("%s does not send %s: %s", d.api, field, r.body)
			}
		}
	}
}
