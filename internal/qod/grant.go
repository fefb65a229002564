package qod

import "slices"

// Grant is an OAuth grant by which the client gets its tokens.
type Grant string

// The grants. With all but the first, each token is for one device.
const (
	ClientCredentials Grant = "client_credentials" // RFC 6749 §4.4: the default
	CIBA              Grant = "ciba"               // OpenID Connect CIBA Core, in poll mode: the device's user is asked
	JWTBearer         Grant = "jwt_bearer"         // RFC 7523 §2.1, with the device as the subject: nobody is asked
)

// Grants are all of them.
func Grants() []Grant { return []Grant{ClientCredentials, CIBA, JWTBearer} }

// perDevice reports whether each token is for one device.
func (g Grant) perDevice() bool { return g == CIBA || g == JWTBearer }

// openID is the scope that CIBA requires (CIBA Core §7.1). Where nobody is asked, it means nothing.
const openID = "openid"

// DefaultScopes are requested of an API by a grant, unless others are configured.
func DefaultScopes(api API, g Grant) []string {
	limits := LimitsOf(api)
	if !g.perDevice() || limits.DeviceScopes == nil {
		return limits.Scopes
	}
	return slices.DeleteFunc(slices.Clone(limits.DeviceScopes), func(scope string) bool { return scope == openID && g != CIBA })
}

// checkGrant names what in the Spec a token cannot be had for. It makes no request.
func checkGrant(g Grant, s Spec) []Problem {
	d := s.Device
	unknown := s.Unknown[FieldDevice] || s.Unknown[FieldPhoneNumber]
	switch {
	case g == JWTBearer && d.PhoneNumber == "" && !unknown:
		return []Problem{{FieldPhoneNumber, "none", "set: with grant = \"jwt_bearer\", each access token is for the device with a phone number"}}
	case g == CIBA && d.NetworkAccessIdentifier != "" && d.PhoneNumber == "" && d.IPv4Address == nil && d.IPv6Address == "" &&
		!unknown && !s.Unknown[FieldIPv4Address] && !s.Unknown[FieldPublicAddress] && !s.Unknown[FieldIPv6Address]:
		return []Problem{{
			FieldNetworkAccessIdentifier, "a network access identifier alone",
			"given with phone_number, ipv4_address or ipv6_address: with grant = \"ciba\", the device's user is asked for consent, " +
				"and nobody can be found by a network access identifier",
		}}
	}
	return nil
}
