package qod

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"time"
)

// Profile is a QoS profile of the operator. Fields that the API does not show are empty.
type Profile struct {
	Name        string
	Description string
	Status      string // ACTIVE, INACTIVE or DEPRECATED; only an active one can be requested

	MinSeconds int64 // of a session; zero when absent
	MaxSeconds int64

	TargetMinUpstreamRate   int64 // bits per second; zero when absent, as the others
	MaxUpstreamRate         int64
	TargetMinDownstreamRate int64
	MaxDownstreamRate       int64

	PacketDelayBudget time.Duration // one way, at most; zero when absent
}

// ProfileFilter selects profiles. An empty field selects all.
type ProfileFilter struct {
	Device Device // only what this device can use
	Name   string
	Status string
}

// excludes reports whether the filter leaves out what some gateways show all the same.
func (f ProfileFilter) excludes(p Profile) bool {
	return f.Name != "" && f.Name != p.Name || f.Status != "" && p.Status != "" && f.Status != p.Status
}

// Profiles are the operator's profiles. They are asked for with a token of their own scope, so that
// a client that may not ask can reserve all the same.
//
// Errors: ErrNoProfiles where the API has no profiles to ask for, ErrNoDeviceProfiles, *Error,
// *TokenError, *InterruptedError.
func (c *Client) Profiles(ctx context.Context, f ProfileFilter) (found []Profile, err error) {
	defer recoverTo(&err)
	perDevice := c.authorizer.PerDevice()
	r, can := c.dialect.profiles(f, c.bound())
	switch {
	case !can:
		return nil, ErrNoProfiles
	case !f.Device.IsZero() && !perDevice && !c.Limits().CanFilterProfiles:
		return nil, ErrNoDeviceProfiles
	}
	return inReadTimeout(ctx, c, OperationProfiles, f.Device, func(ctx context.Context) ([]Profile, error) {
		return retry(ctx, OperationProfiles, c.config.MaxRetries, func(attempt int) ([]Profile, error) {
			a, err := c.get(ctx, r, f.Device, attempt)
			var e *Error
			if errors.As(err, &e) && e.class == classGone {
				return []Profile{}, nil // there are none, in the API's own words
			}
			if err != nil {
				return nil, err
			}
			profiles, err := decodeProfiles(a.body)
			if err != nil {
				return nil, unreadable(r, a, err)
			}
			for _, p := range profiles {
				c.profiles.Store(p.Name, p)
			}
			return slices.DeleteFunc(profiles, f.excludes), nil
		})
	})
}

// KnownProfile is a profile that this process has asked for before, for warnings: it may have
// changed since.
func (c *Client) KnownProfile(name string) (Profile, bool) {
	known, _ := c.profiles.Load(name)
	p, ok := known.(Profile)
	return p, ok
}

// decodeProfiles decodes a list of the schema QosProfile. What is not called by a name is left out.
func decodeProfiles(body []byte) ([]Profile, error) {
	var items []json.RawMessage
	if err := json.Unmarshal(jsonText(body), &items); err != nil || items == nil {
		return nil, errors.New("the answer is not a JSON array of profiles")
	}
	profiles := []Profile{}
	for _, item := range items {
		var name string
		if json.Unmarshal(item, &name) == nil && name != "" {
			profiles = append(profiles, Profile{Name: name}) // in Telefónica's document of 0.10, that is all there is
			continue
		}
		fields, err := decodeObject(item)
		if err != nil || fields.text("name") == "" {
			continue
		}
		profiles = append(profiles, Profile{
			Name:        fields.text("name"),
			Description: printable(fields.text("description")),
			Status:      strings.ToUpper(strings.TrimSpace(fields.text("status"))),

			MinSeconds: int64(math.Ceil(duration(fields.object("minDuration")).Seconds())),
			MaxSeconds: int64(duration(fields.object("maxDuration")) / time.Second),

			TargetMinUpstreamRate:   rate(fields.object("targetMinUpstreamRate")),
			MaxUpstreamRate:         rate(fields.object("maxUpstreamRate")),
			TargetMinDownstreamRate: rate(fields.object("targetMinDownstreamRate")),
			MaxDownstreamRate:       rate(fields.object("maxDownstreamRate")),

			PacketDelayBudget: duration(fields.object("packetDelayBudget")),
		})
	}
	return profiles, nil
}

// duration is the schema Duration; zero for what it cannot be.
func duration(fields object) time.Duration {
	units := map[string]time.Duration{
		"days": 24 * time.Hour, "hours": time.Hour, "minutes": time.Minute, "seconds": time.Second,
		"milliseconds": time.Millisecond, "microseconds": time.Microsecond, "nanoseconds": time.Nanosecond,
	}
	unit := units[strings.ToLower(fields.text("unit"))]
	value, ok := fields.number("value")
	if !ok || value < 0 || unit == 0 || value > int64(math.MaxInt64/unit) {
		return 0
	}
	return time.Duration(value) * unit
}

// rate is the schema Rate; zero for what it cannot be.
func rate(fields object) int64 {
	units := map[string]int64{"bps": 1, "kbps": 1e3, "mbps": 1e6, "gbps": 1e9, "tbps": 1e12}
	unit := units[strings.ToLower(fields.text("unit"))]
	value, ok := fields.number("value")
	if !ok || value < 0 || unit == 0 || value > math.MaxInt64/unit {
		return 0
	}
	return value * unit
}
