package provider

import (
	"fmt"
	"strings"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// What a session can be requested with depends on the API, which is not known before the provider
// is configured. So a validator refuses only what no API accepts, planning asks the API that is
// configured, and descriptions state the limits of the default API. All of them come from qod.

// longestSession is the most that a session of the default API lasts.
var longestSession = qod.LimitsOf(qod.OpenGateway).Longest()

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

// durationRange accepts the durations that at least one API accepts.
func durationRange() validators.Int64Range {
	var longest time.Duration
	for _, api := range qod.APIs() {
		limit := qod.LimitsOf(api).Longest()
		if limit == 0 {
			return validators.Int64Between(1, 1<<31-1, " (seconds)") // int32 in every document
		}
		longest = max(longest, limit)
	}
	return validators.Int64Between(1, seconds(longest), fmt.Sprintf(" (seconds; %s at most)", diagnostics.HoursText(longest)))
}

// ofProfile is a request of which nothing is known but the profile, for a check of that alone.
func ofProfile(name string) qod.Spec {
	var spec qod.Spec
	spec.QoSProfile, spec.Unknown = name, map[qod.Field]bool{}
	for _, field := range qod.Fields() {
		spec.Unknown[field] = field != qod.FieldQoSProfile
	}
	return spec
}

// ofDevice is a request of which nothing is known but the profile and the device, if one is given.
func ofDevice(profile string, device qod.Device) qod.Spec {
	spec := ofProfile(profile)
	if device.IsZero() {
		return spec
	}
	spec.Device = device
	for field := range spec.Unknown {
		if field == qod.FieldDevice || strings.HasPrefix(string(field), string(qod.FieldDevice)+".") {
			spec.Unknown[field] = false
		}
	}
	return spec
}

// problemsEverywhere are those of the default API with what no API accepts.
func problemsEverywhere(spec qod.Spec) []qod.Problem {
	for _, api := range qod.APIs() {
		if len(qod.CheckFor(api, "", spec)) == 0 {
			return nil
		}
	}
	return qod.CheckFor(qod.OpenGateway, "", spec)
}

// profileNames are the profiles of the default API, for descriptions.
func profileNames() string {
	names := qod.LimitsOf(qod.OpenGateway).Profiles
	last := len(names) - 1
	return "`" + strings.Join(names[:last], "`, `") + "` or `" + names[last] + "`"
}

func profileName() validators.StringCheck {
	return validators.Text(fmt.Sprintf("must be the name of a QoS profile, such as %q", qod.LimitsOf(qod.OpenGateway).Profiles[0]))
}
