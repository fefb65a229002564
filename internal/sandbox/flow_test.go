package sandbox

import (
	"testing"
	"time"
)

func TestFlowsThatConflict(t *testing.T) {
	t.Parallel()
	camera := Device{PhoneNumber: "+34600000001"}
	to := func(server string, ports ...int) *Session {
		s := &Session{Device: camera, ApplicationServer: &ApplicationServer{IPv4Address: server}}
		if len(ports) > 0 {
			s.ApplicationServerPorts = &Ports{Ports: ports}
		}
		return s
	}
	from := func(first, last int) *Session {
		return &Session{Device: camera, DevicePorts: &Ports{Ranges: []PortRange{{first, last}}}}
	}
	v6 := &Session{Device: camera, ApplicationServer: &ApplicationServer{IPv6Address: "2001:db8::/64"}}
	tests := map[string]struct {
		a, b *Session
		want bool
	}{
		"the same server":             {to("198.51.100.7"), to("198.51.100.7"), true},
		"another server":              {to("198.51.100.7"), to("198.51.100.8"), false},
		"a server and its network":    {to("198.51.100.7"), to("198.51.100.0/24"), true},
		"a server and all of them":    {to("198.51.100.7"), to("0.0.0.0/0"), true},
		"a server and no server":      {to("198.51.100.7"), &Session{Device: camera}, true},
		"IPv4 and IPv6":               {to("0.0.0.0/0"), v6, false},
		"IPv6 and IPv6":               {v6, &Session{Device: camera, ApplicationServer: &ApplicationServer{IPv6Address: "2001:DB8::9"}}, true},
		"a name that is no address":   {to("edge"), to("edge"), true},
		"names that are no addresses": {to("edge"), to("core"), false},
		"another port":                {to("198.51.100.7", 80, 81), to("198.51.100.7", 82), false},
		"one port in common":          {to("198.51.100.7", 80, 81), to("198.51.100.7", 82, 81), true},
		"a port and all ports":        {to("198.51.100.7", 80), to("198.51.100.7"), true},
		"ranges side by side":         {from(1000, 1999), from(2000, 2999), false},
		"ranges with a port shared":   {from(1000, 2000), from(2000, 2999), true},
		"another device":              {to("198.51.100.7"), &Session{Device: Device{PhoneNumber: "+34600000002"}}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, back := sameFlow(test.a, test.b), sameFlow(test.b, test.a); got != test.want || back != test.want {
				t.Errorf("%v, and the other way round %v; want %v", got, back, test.want)
			}
			if sameDevice(test.a, test.b) != (name != "another device") {
				t.Error("a network of one session per device does not tell flows apart")
			}
		})
	}
}

// A deleted session holds no more than it had.
func TestFlowIsHeldAfterADeletion(t *testing.T) {
	t.Parallel()
	n := newNetwork(NewManualClock(noon), 0, "client", func(statusChange) {})
	n.conflict = sameFlow
	all := func(*Session) bool { return true }
	web := Session{Duration: 3600, Device: Device{PhoneNumber: "+34600000001"}, ApplicationServerPorts: &Ports{Ports: []int{80}}}
	made, err := n.create(web, all)
	if err != nil || !n.delete(made.ID, all, time.Minute) {
		t.Fatal(err)
	}
	if _, err := n.create(web, all); err == nil {
		t.Error("the flow is free at once")
	}
	web.ApplicationServerPorts.Ports[0] = 81
	if _, err := n.create(web, all); err != nil {
		t.Errorf("another flow: %v", err)
	}
}
