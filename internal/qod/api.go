package qod

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// API names an API document that this package can speak.
type API string

// OpenGateway is Telefónica's Quality on Demand document, version 0.10.0: the default.
const OpenGateway API = "open-gateway"

// CAMARAV1 is CAMARA's quality-on-demand 1.x. Its 0.11 is of the same form.
const CAMARAV1 API = "camara-v1"

// CAMARAV0 is CAMARA's QoD 0.10, which Telefónica's developer sandbox speaks.
const CAMARAV0 API = "camara-v0"

// dialects are the supported documents, in the order in which texts list them.
var dialects = []struct {
	api    API
	speaks dialect
}{
	{OpenGateway, openGateway{}},
	{CAMARAV1, camaraV1{}},
	{CAMARAV0, camaraV0{}},
}

// APIs are the supported documents; the first one is the default.
func APIs() []API {
	apis := make([]API, 0, len(dialects))
	for _, d := range dialects {
		apis = append(apis, d.api)
	}
	return apis
}

// dialectOf is the dialect of a supported API; the empty name is the default.
func dialectOf(api API) (speaks dialect, supported bool) {
	for _, d := range dialects {
		if api == d.api || api == "" {
			return d.speaks, true
		}
	}
	return nil, false
}

func apiNames() string {
	var names []string
	for _, api := range APIs() {
		names = append(names, string(api))
	}
	return strings.Join(names, ", ")
}

// DefaultAPIPath is where an API usually lies below the endpoint; empty if it is not supported.
func DefaultAPIPath(api API) string {
	speaks, supported := dialectOf(api)
	if !supported {
		return ""
	}
	return speaks.path()
}

// CheckAPIPath reports what is wrong with the path of an API below the endpoint; an empty string
// means nothing. Requests are sent to what the endpoint, this path and that of the operation say
// together, so nothing in it may lead elsewhere. A slash alone is an API that lies directly below
// the endpoint, as mock servers and some gateways have it.
func CheckAPIPath(path string) string {
	segments := strings.Split(path, "/")
	switch {
	case path == "/":
		return ""
	case segments[0] != "" || path == "":
		return "does not begin with a slash"
	case strings.HasSuffix(path, "/"):
		return "ends with a slash"
	case strings.ContainsAny(path, "?#"):
		return "contains a query or fragment"
	case slices.ContainsFunc(segments[1:], func(s string) bool { return s == "" || s == "." || s == ".." }):
		return "has an empty segment, or one of only dots"
	case strings.IndexFunc(path, outsidePath) >= 0:
		return "contains a character other than letters, digits and -._~/"
	}
	return ""
}

// outsidePath reports whether a character would have to be escaped in a path (RFC 3986 §2.3).
func outsidePath(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-._~/", r))
}

// anyProfile stands in Limits.maxSeconds for the profiles without a limit of their own.
const anyProfile = ""

// Limits are what an API allows and which operations it has.
type Limits struct {
	Profiles []string // the names of the document; nil where each operator has names of its own
	// Scopes are to be requested with client credentials, unless others are configured.
	Scopes []string
	// DeviceScopes are to be requested instead where each token is for one device; nil for Scopes.
	DeviceScopes []string

	CanList         bool // all sessions that the credentials can see
	CanListByDevice bool // the sessions of one device
	CanExtend       bool // a session that exists

	// ProfilesAPI says that the profiles are an API of their own, at Config.ProfilesPath.
	ProfilesAPI bool
	// CanFilterProfiles says that the profiles of one device can be asked for.
	CanFilterProfiles bool

	// PerDevice says that each access token is for one device, which all requests then have to
	// name.
	PerDevice bool

	// PerFlow says that a device can have several sessions, for different servers or ports.
	PerFlow bool

	fields      []Field          // of a Spec that the document has
	maxSeconds  map[string]int64 // by profile; empty where the document has no limit
	longestList int              // the most sessions that a list shows; zero where it shows all
	// windowSeconds is the most to request for a Spec with Until where the document has no limit.
	windowSeconds int64
}

// MaxSeconds is the most that a session of the profile may last; zero where the document has no
// limit for it.
func (l Limits) MaxSeconds(profile string) int64 {
	if most, limited := l.maxSeconds[profile]; limited {
		return most
	}
	return l.maxSeconds[anyProfile]
}

// Longest is the most that a session of any profile may last; zero where the document has no limit
// for all of them.
func (l Limits) Longest() time.Duration {
	if _, limited := l.maxSeconds[anyProfile]; !limited {
		return 0
	}
	return time.Duration(slices.Max(slices.Collect(maps.Values(l.maxSeconds)))) * time.Second
}

// LongestRequest is the most that is requested at once for the rest of a window, whatever the
// profile; zero where there is no limit.
func (l Limits) LongestRequest() time.Duration {
	return cmp.Or(l.Longest(), time.Duration(l.windowSeconds)*time.Second)
}

// cap is as many of the wanted seconds as are requested at once for a session of the profile.
func (l Limits) cap(profile string, wanted int64) int64 {
	if most := cmp.Or(l.MaxSeconds(profile), l.windowSeconds); most > 0 {
		return min(wanted, most)
	}
	return wanted
}

// LimitsOf are the limits of a supported API, for when no client can be configured yet. Those of
// another are empty.
func LimitsOf(api API) Limits {
	speaks, supported := dialectOf(api)
	if !supported {
		return Limits{}
	}
	return speaks.limits()
}

// LimitsFor are the limits of a supported API with a grant.
func LimitsFor(api API, g Grant) Limits { return LimitsOf(api).perDevice(g.perDevice()) }

// perDevice are the limits where each token is for one device, if so: it shows no sessions of
// others.
func (l Limits) perDevice(so bool) Limits {
	if so {
		l.PerDevice, l.CanList, l.CanListByDevice = true, false, l.CanList || l.CanListByDevice
	}
	return l
}
