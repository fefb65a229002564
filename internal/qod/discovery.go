package qod

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/oauth2"
)

type tokenEndpoint struct {
	url   string
	style oauth2.AuthStyle
}

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
		return fail(0, true, fmt.Errorf("the document names no issuer, so the provider will not send the client secret to the other host it names, %s", hostOf(endpoint)))
	case issuer != "" && !strings.EqualFold(strings.TrimRight(issuer, "/"), origin):
		return fail(0, true, fmt.Errorf("the document is for another issuer, %s", readable(issuer)))
	}
	return tokenEndpoint{url: endpoint, style: authStyle(fields)}, nil
}

// authStyle is Basic, which RFC 6749 §2.3.1 requires every server to support, unless the document
// lists the supported methods and Basic is not among them.
func authStyle(document object) oauth2.AuthStyle {
	var methods []string
	if json.Unmarshal(document["token_endpoint_auth_methods_supported"], &methods) == nil &&
		!slices.Contains(methods, "client_secret_basic") && slices.Contains(methods, "client_secret_post") {
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleInHeader
}
