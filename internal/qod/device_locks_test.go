// One create at a time for each device, however it is spelled, and no deadlock between creates.
package qod

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestIdentifiers(t *testing.T) {
	t.Parallel()
	port := func(n int64) *int64 { return &n }
	for name, test := range map[string]struct {
		device Device
		want   []string
	}{
		"none":  {Device{}, nil},
		"phone": {Device{PhoneNumber: "+34600000001"}, []string{"tel:34600000001"}},
		"all": {
			Device{PhoneNumber: "34600000001", NetworkAccessIdentifier: "A@B", IPv4Address: &IPv4Address{PublicAddress: "203.0.113.7"}, IPv6Address: "2001:DB8:0::1"},
			[]string{"ip:2001:db8::1", "ip:203.0.113.7", "nai:a@b", "tel:34600000001"},
		},
		"ports":          {Device{IPv4Address: &IPv4Address{PublicAddress: "203.0.113.7", PublicPort: port(80)}}, []string{"ip:203.0.113.7 port 80"}},
		"private":        {Device{IPv4Address: &IPv4Address{PublicAddress: "203.0.113.7", PrivateAddress: "10.0.0.1"}}, []string{"ip:203.0.113.7 private 10.0.0.1"}},
		"one told twice": {Device{IPv4Address: &IPv4Address{PublicAddress: "203.0.113.7"}, IPv6Address: "::ffff:203.0.113.7"}, []string{"ip:203.0.113.7"}},
	} {
		if got := test.device.Identifiers(); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func TestLock(t *testing.T) {
	t.Parallel()
	phone, address := Device{PhoneNumber: "+34600000001"}, Device{IPv6Address: "2001:db8::1"}
	ipv4 := func(port ...int64) Device {
		d := Device{IPv4Address: &IPv4Address{PublicAddress: "203.0.113.7"}}
		if len(port) > 0 {
			d.IPv4Address.PublicPort = &port[0]
		}
		return d
	}
	both := Device{PhoneNumber: "34600000001", IPv6Address: "2001:DB8:0::1"}
	for name, test := range map[string]struct {
		first, second Device
		excluded      bool
	}{
		"the same":              {phone, phone, true},
		"spelled otherwise":     {Device{PhoneNumber: "+34600000001"}, Device{PhoneNumber: "34600000001"}, true},
		"another":               {phone, Device{PhoneNumber: "+34600000002"}, false},
		"one of two":            {both, address, true},
		"two of one":            {phone, both, true},
		"nothing in common":     {phone, address, false},
		"a port and no port":    {ipv4(80), ipv4(), true},
		"no port and a port":    {ipv4(), ipv4(80), true},
		"one port":              {ipv4(80), ipv4(80), true},
		"two ports":             {ipv4(80), ipv4(81), false},
		"one told twice":        {Device{IPv4Address: ipv4(80).IPv4Address, IPv6Address: "::ffff:203.0.113.7"}, ipv4(81), true},
		"no identifier":         {Device{}, Device{}, false},
		"no identifier and one": {Device{}, phone, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				locks := newDeviceLocks()
				unlock, err := locks.lock(t.Context(), test.first)
				if err != nil {
					t.Fatal(err)
				}
				var got atomic.Bool
				go func() {
					unlock, err := locks.lock(t.Context(), test.second)
					if err != nil {
						t.Error(err)
						return
					}
					got.Store(true)
					unlock()
				}()
				synctest.Wait()
				if got.Load() == test.excluded {
					t.Errorf("locked: %v", got.Load())
				}
				unlock()
				synctest.Wait()
				if !got.Load() {
					t.Error("never locked")
				}
			})
		})
	}
}

// A create that stops waiting releases what it has locked.
func TestLockInterrupted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		locks := newDeviceLocks()
		address := Device{IPv6Address: "2001:db8::1"} // "ip:" comes before "tel:"
		phone := Device{PhoneNumber: "+34600000001"}
		unlock, _ := locks.lock(t.Context(), phone)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := locks.lock(ctx, Device{PhoneNumber: phone.PhoneNumber, IPv6Address: address.IPv6Address})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		other, err := locks.lock(ctx, address)
		if err != nil {
			t.Fatalf("what was given back is locked: %v", err)
		}
		other()
		unlock()
		if unlock, err = locks.lock(t.Context(), phone); err != nil {
			t.Fatal(err)
		}
		unlock()
	})
}

// Creates that share identifiers in any order do not deadlock.
func TestLocksDoNotDeadlock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		locks := newDeviceLocks()
		devices := []Device{
			{PhoneNumber: "+1", IPv6Address: "::1"}, {PhoneNumber: "+2", IPv6Address: "::1"}, {PhoneNumber: "+2", IPv6Address: "::2"},
			{PhoneNumber: "+1", IPv6Address: "::2", NetworkAccessIdentifier: "a"}, {NetworkAccessIdentifier: "A"},
			{IPv4Address: &IPv4Address{PublicAddress: "0.0.0.1"}, PhoneNumber: "+1"}, {IPv4Address: &IPv4Address{PublicAddress: "0.0.0.1", PublicPort: new(int64)}, PhoneNumber: "+1"},
		}
		var wg sync.WaitGroup
		for i := range 200 {
			wg.Go(func() {
				unlock, err := locks.lock(t.Context(), devices[i%len(devices)])
				if err != nil {
					t.Error(err)
					return
				}
				time.Sleep(time.Millisecond)
				unlock()
			})
		}
		wg.Wait()
	})
}
