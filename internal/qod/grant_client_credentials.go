package qod

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// clientCredentials is the OAuth 2.0 grant of RFC 6749 §4.4. One token serves every device.
type clientCredentials struct {
	config *Config
	http   *http.Client

	mu         sync.Mutex
	discovered *tokenEndpoint // nil before discovery, which is made once
}

func (g *clientCredentials) subject(Device) string { return "" }

func (g *clientCredentials) fetch(ctx context.Context, _ Device) (string, time.Duration, error) {
	endpoint, err := g.endpoint(ctx)
	if err != nil {
		return "", 0, err
	}
	config := clientcredentials.Config{
		ClientID: g.config.ClientID, ClientSecret: g.config.ClientSecret, TokenURL: endpoint.url, Scopes: g.config.Scopes,
		// Never oauth2.AuthStyleAutoDetect, which repeats the request after invalid_client.
		AuthStyle: endpoint.style,
	}
	client := *g.http
	client.Transport = &tokenNormalizer{next: g.http.Transport, userAgent: g.config.UserAgent}
	token, err := config.Token(context.WithValue(ctx, oauth2.HTTPClient, &client))
	if err != nil {
		return "", 0, g.explain(endpoint.url, err)
	}
	if !isHeaderSafe(token.AccessToken) {
		return "", 0, &TokenError{
			URL: endpoint.url, permanent: true,
			Err: errors.New("the access token contains characters that are not allowed in a header"),
		}
	}
	lifetime := time.Duration(0)
	if !token.Expiry.IsZero() {
		lifetime = time.Until(token.Expiry)
	}
	return token.AccessToken, lifetime, nil
}

func (g *clientCredentials) endpoint(ctx context.Context) (tokenEndpoint, error) {
	if g.config.TokenURL != "" {
		return tokenEndpoint{url: g.config.TokenURL, style: oauth2.AuthStyleInHeader}, nil
	}
	g.mu.Lock()
	found := g.discovered
	g.mu.Unlock()
	if found != nil {
		return *found, nil
	}
	endpoint, err := discover(ctx, g.http, g.config)
	if err != nil {
		return tokenEndpoint{}, err
	}
	g.mu.Lock()
	g.discovered = &endpoint
	g.mu.Unlock()
	return endpoint, nil
}

// explain converts an error of x/oauth2, which may quote a megabyte of body.
func (g *clientCredentials) explain(tokenURL string, err error) error {
	failure := &TokenError{URL: tokenURL}
	var refusal *oauth2.RetrieveError
	if !errors.As(err, &refusal) {
		failure.Err = redacted(withoutURL(err), g.config.secrets(), Device{})
		failure.permanent = isTLSFailure(err)
		return failure
	}
	words := func(s string) string { return readable(redactServer(s, g.config.secrets(), Device{})) }
	failure.Code, failure.Description = words(refusal.ErrorCode), words(refusal.ErrorDescription)
	if failure.Code == "" && failure.Description == "" {
		failure.Description = words(string(refusal.Body))
	}
	if refusal.Response != nil {
		failure.Status = refusal.Response.StatusCode
		if failure.Status/100 == 3 {
			failure.Err = fmt.Errorf("redirected to %s, which is not followed", hostOf(refusal.Response.Header.Get("Location")))
		}
	}
	failure.permanent = failure.Status < http.StatusInternalServerError &&
		failure.Status != http.StatusTooManyRequests && failure.Status != http.StatusRequestTimeout
	failure.lockout = failure.permanent && (failure.Code == "invalid_client" || failure.Code == "unauthorized_client")
	return failure
}

// maxTokenBody bounds a token response or discovery document, after decompression.
const maxTokenBody = 1 << 20

// tokenNormalizer normalises token responses for x/oauth2, which rejects a token whose `expires_in`
// is 3600.0, parses JSON labelled text/plain as a form, and does not document how much it reads.
type tokenNormalizer struct {
	next      http.RoundTripper
	userAgent string
}

func (t *tokenNormalizer) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Set("User-Agent", t.userAgent)
	req.Header.Set("Accept", "application/json")
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := readBounded(resp.Body, maxTokenBody)
	if err != nil {
		return nil, err
	}
	if normal, ok := normaliseToken(body); ok {
		body = normal
		resp.Header.Set("Content-Type", "application/json")
	} else if !isForm(resp.Header.Get("Content-Type")) && resp.StatusCode/100 == 2 {
		return nil, ErrNotJSON
	}
	resp.Header.Del("Content-Length")
	resp.ContentLength = int64(len(body))
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// normaliseToken rewrites a JSON response so that each field has the type that RFC 6749 §5 gives
// it. It reports false for anything but a JSON object.
func normaliseToken(body []byte) ([]byte, bool) {
	fields, err := decodeObject(body)
	if err != nil {
		return nil, false
	}
	normal := map[string]any{}
	for _, name := range []string{"access_token", "token_type", "error", "error_description", "error_uri"} {
		if s := fields.text(name); s != "" {
			normal[name] = s
		}
	}
	// Errors of Telefónica's authorization endpoints have the members code and message.
	if normal["error"] == nil && normal["access_token"] == nil {
		normal["error"], normal["error_description"] = fields.text("code"), fields.text("message")
	}
	if seconds, ok := fields.lifetime("expires_in"); ok {
		normal["expires_in"] = seconds
	}
	encoded, err := json.Marshal(normal)
	return encoded, err == nil
}

// lifetime is a positive number of seconds, which may be a float, bounded to maxLifetime.
func (o object) lifetime(name string) (int64, bool) {
	seconds, err := strconv.ParseFloat(o.text(name), 64)
	if err != nil || !(seconds > 0) {
		return 0, false
	}
	return int64(min(seconds, maxLifetime.Seconds())), true
}

func isForm(contentType string) bool {
	mediaType, _, err := mime.ParseMediaType(contentType)
	return err == nil && mediaType == "application/x-www-form-urlencoded"
}

// webOriginOf is the origin of a URL (RFC 6454): its scheme, host and port.
func webOriginOf(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
