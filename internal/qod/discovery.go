package qod

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const discoveryPath = "/.well-known/openid-configuration"

// discover reads the token endpoint from the OpenID Connect discovery document of the endpoint's
// origin. The client secret is about to be sent to that token endpoint, so it has to be https, and
// the document has to name this origin as its issuer. Without an issuer, it may name only a token
// endpoint at this origin.
func discover(ctx context.Context, client *http.Client, config *Config) (tokenEndpoint, error) {
	origin := webOriginOf(config.Endpoint)
	at := origin + discoveryPath
	fail := func(status int, final bool, err error) (tokenEndpoint, error) {
		return tokenEndpoint{}, &TokenError{URL: at, Discovery: true, Status: status, Err: err, permanent: final}
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
	endpoint := fields.text("token_endpoint")
	if endpoint == "" {
		return fail(0, true, errors.New("the document names no token_endpoint"))
	}
	if problem := CheckURL(endpoint); problem != "" {
		problem = strings.Replace(problem, "; use https", "", 1) // nobody who reads this can
		return fail(0, true, fmt.Errorf("its token_endpoint %s", problem))
	}
	issuer := fields.text("issuer")
	switch {
	case issuer == "" && !strings.EqualFold(webOriginOf(endpoint), origin):
		return fail(0, true, fmt.Errorf("the document names no issuer, so the provider will not send the client's credentials to the other host it names, %s", hostOf(endpoint)))
	case issuer != "" && !strings.EqualFold(strings.TrimRight(issuer, "/"), origin):
		return fail(0, true, fmt.Errorf("the document is for another issuer, %s", readable(issuer)))
	}
	offered := methodNames(fields["token_endpoint_auth_methods_supported"])
	return tokenEndpoint{url: endpoint, method: config.chooseAuthMethod(offered), offered: offered}, nil
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
