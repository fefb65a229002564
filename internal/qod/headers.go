package qod

import (
	"net/http"
	"slices"
	"strings"
)

// headersAlone reports whether Headers are all that the API is shown.
func (c *Config) headersAlone() bool {
	return c.AccessToken == "" && c.ClientID == "" && len(c.Headers) > 0
}

// connectionHeaders are about one connection, and not about the request (RFC 9110 §7.6.1).
var connectionHeaders = []string{
	"Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

// ownHeaders are those that the client sets itself, or that would change what an answer means.
var ownHeaders = []string{
	"Accept", "Accept-Encoding", "Cache-Control", "Expect", "Idempotency-Key", "If-Match", "If-Modified-Since",
	"If-None-Match", "If-Range", "If-Unmodified-Since", "Pragma", "Prefer", "Range", "User-Agent", "X-Correlator",
	// Frameworks read another method from these: every read would become a DELETE.
	"X-Http-Method", "X-Http-Method-Override", "X-Method-Override",
}

// CheckHeader reports why a header must not be added to the requests to the API; an empty string
// means that it may. Nothing of the value is in the text.
func CheckHeader(name, value string) string {
	canonical := http.CanonicalHeaderKey(name)
	switch {
	case name == "":
		return "has no name"
	case !isToken(name):
		return "has a name with a space, a colon or another character that no header has (RFC 9110, section 5.1)"
	case canonical == "Authorization":
		return "carries what access_token, or client_id with its secret or key, are for"
	case canonical == "Host":
		return "is the host of endpoint, and cannot be another"
	case strings.HasPrefix(canonical, "Proxy-") && canonical != "Proxy-Connection":
		return "is for a proxy, whose user name and password belong into HTTPS_PROXY"
	case slices.Contains(connectionHeaders, canonical):
		return "is about the connection, which the provider manages"
	case strings.HasPrefix(canonical, "Content-"):
		return "describes the body, which the provider writes"
	case slices.Contains(ownHeaders, canonical):
		return "is one that the provider sets itself, or that would change what the API's answers mean"
	case value == "":
		return "has an empty value: leave the header out"
	case strings.TrimSpace(value) != value:
		return "has a value with a space or a line feed at its beginning or end"
	case strings.IndexFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) >= 0:
		return "has a value with a line feed or another character that is not visible ASCII"
	}
	return ""
}

// isToken reports whether a name is a token of RFC 9110 §5.6.2.
func isToken(name string) bool {
	return strings.IndexFunc(name, func(r rune) bool {
		return !('0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || strings.ContainsRune("!#$%&'*+-.^_`|~", r))
	}) < 0
}
