package qod

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const discoveryPath = "/.well-known/openid-configuration"

// discovery is what an OpenID Connect discovery document says.
type discovery struct {
	origin  string // of the document
	issuer  string // empty where the document names none
	fields  object
	methods []string // of authentication
}

// discover reads the OpenID Connect discovery document of the endpoint's origin.
func discover(ctx context.Context, client *http.Client, config *Config) (discovery, error) {
	origin := webOriginOf(config.Endpoint)
	at := origin + discoveryPath
	fail := func(status int, permanent bool, err error) (discovery, error) {
		return discovery{}, &TokenError{
			URL: at, Discovery: true, Grant: config.Grant, Status: status, Err: err, DocumentHost: config.atDocumentHost(), permanent: permanent,
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return fail(0, true, err)
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", config.UserAgent)
	resp, err := client.Do(req)
	if err != nil {
		return fail(0, isTLSFailure(err), redacted(withoutURL(err), config.secrets(), Device{}))
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := readBounded(resp.Body, maxTokenBody)
	switch {
	case resp.StatusCode/100 == 3:
		return fail(resp.StatusCode, true, fmt.Errorf("redirected to %s, which is not followed", hostOf(resp.Header.Get("Location"))))
	case resp.StatusCode != http.StatusOK:
		return fail(resp.StatusCode, resp.StatusCode < 500 && resp.StatusCode != http.StatusTooManyRequests, nil)
	case err != nil:
		return fail(0, false, err)
	}
	fields, err := decodeObject(body)
	if err != nil {
		return fail(0, true, ErrNotJSON)
	}
	issuer := fields.text("issuer")
	if issuer != "" && !strings.EqualFold(strings.TrimRight(issuer, "/"), origin) {
		return fail(0, true, fmt.Errorf("the document is for another issuer, %s", readable(issuer)))
	}
	return discovery{origin, issuer, fields, methodNames(fields["token_endpoint_auth_methods_supported"])}, nil
}

// endpoint is the one that the document names as a member. The client's proof is about to be sent
// there, so it has to be https, and the document has to name its own origin as its issuer. Without
// an issuer, it may name only endpoints at this origin.
func (d discovery) endpoint(member string) (string, error) {
	fail := func(err error) (string, error) {
		return "", &TokenError{URL: d.origin + discoveryPath, Discovery: true, Err: err, permanent: true}
	}
	endpoint := d.fields.text(member)
	if endpoint == "" {
		return fail(fmt.Errorf("the document names no %s", member))
	}
	if problem := CheckURL(endpoint); problem != "" {
		problem = strings.Replace(problem, "; use https", "", 1) // nobody who reads this can
		return fail(fmt.Errorf("its %s %s", member, problem))
	}
	if d.issuer == "" && !strings.EqualFold(webOriginOf(endpoint), d.origin) {
		return fail(fmt.Errorf("the document names no issuer, so the provider will not send the client's credentials to the other host it names, %s", hostOf(endpoint)))
	}
	return endpoint, nil
}

// methodNames reads a list of authentication methods. Errors show them, so what is no name is left
// out.
func methodNames(list json.RawMessage) []string {
	var names []string
	_ = json.Unmarshal(list, &names) // none if it is no list
	return slices.DeleteFunc(names, func(name string) bool { return name == "" || len(name) > 64 || !isToken(name) })
}

// webOriginOf is the origin of a URL (RFC 6454): its scheme, host and port.
func webOriginOf(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
