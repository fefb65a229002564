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
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
)

// authorizationServer is where grants get their tokens: where its endpoints are, how requests to
// them are authenticated, and what their answers mean.
type authorizationServer struct {
	config *Config
	http   *http.Client

	mu         sync.Mutex
	discovered *tokenEndpoint // nil before discovery, which is made once
}

type tokenEndpoint struct {
	url     string
	method  AuthMethod
	offered []string // see TokenError
}

// endpoint is the token endpoint, from the configuration or else from discovery.
func (s *authorizationServer) endpoint(ctx context.Context) (tokenEndpoint, error) {
	if s.config.TokenURL != "" {
		return tokenEndpoint{url: s.config.TokenURL, method: s.config.chooseAuthMethod(nil)}, nil
	}
	s.mu.Lock()
	found := s.discovered
	s.mu.Unlock()
	if found != nil {
		return *found, nil
	}
	endpoint, err := discover(ctx, s.http, s.config)
	if err != nil {
		return tokenEndpoint{}, err
	}
	s.mu.Lock()
	s.discovered = &endpoint
	s.mu.Unlock()
	return endpoint, nil
}

// authenticated is a context with which x/oauth2 authenticates the client in every form that it
// posts. What it does by itself about authentication has to be off: oauth2.AuthStyleInParams, and
// no client id.
func (s *authorizationServer) authenticated(ctx context.Context, method AuthMethod) context.Context {
	client := *s.http
	client.Transport = &tokenTransport{next: s.http.Transport, config: s.config, method: method}
	return context.WithValue(ctx, oauth2.HTTPClient, &client)
}

// result is what x/oauth2 has made of an answer, as a grant returns it.
func (s *authorizationServer) result(endpoint tokenEndpoint, token *oauth2.Token, err error) (string, time.Duration, error) {
	switch {
	case err != nil:
		return "", 0, s.explain(endpoint, err)
	case !isHeaderSafe(token.AccessToken):
		return "", 0, &TokenError{
			URL: endpoint.url, permanent: true,
			Err: errors.New("the access token contains characters that are not allowed in a header"),
		}
	case token.Expiry.IsZero():
		return token.AccessToken, 0, nil
	}
	return token.AccessToken, time.Until(token.Expiry), nil
}

// explain converts an error of x/oauth2, which may quote a megabyte of body.
func (s *authorizationServer) explain(endpoint tokenEndpoint, err error) error {
	failure := &TokenError{URL: endpoint.url, Method: endpoint.method, Offered: endpoint.offered}
	var refusal *oauth2.RetrieveError
	if !errors.As(err, &refusal) {
		failure.Err = redacted(withoutURL(err), s.config.secrets(), Device{})
		failure.permanent = isTLSFailure(err)
		return failure
	}
	words := func(text string) string { return readable(redactServer(text, s.config.secrets(), Device{})) }
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

// tokenTransport authenticates the client in each form that is posted through it, adds the
// configured parameters, and normalises the answer.
type tokenTransport struct {
	next   http.RoundTripper
	config *Config
	method AuthMethod
}

// RoundTrip posts a form.
func (t *tokenTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	req, err := t.authenticated(req)
	if err != nil {
		return nil, err
	}
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	return normalised(resp)
}

// authenticated is the request with the client's proof. Without GetBody, net/http does not send it
// a second time by itself, as it otherwise would on another connection: the assertion in it is good
// for one request.
func (t *tokenTransport) authenticated(req *http.Request) (*http.Request, error) {
	body, err := io.ReadAll(req.Body)
	_ = req.Body.Close()
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	req = req.Clone(req.Context())
	for name, value := range t.config.TokenParameters {
		form.Set(name, value)
	}
	if err := t.config.authenticate(t.method, req.URL.String(), form, req.Header); err != nil {
		return nil, err
	}
	encoded := form.Encode()
	req.Body, req.ContentLength, req.GetBody = io.NopCloser(strings.NewReader(encoded)), int64(len(encoded)), nil
	req.Header.Set("User-Agent", t.config.UserAgent)
	req.Header.Set("Accept", "application/json")
	return req, nil
}

// normalised is a token response as x/oauth2 reads it, which rejects a token whose `expires_in` is
// 3600.0, parses JSON labelled text/plain as a form, and does not document how much it reads.
func normalised(resp *http.Response) (*http.Response, error) {
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
