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
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// authorizationServer is where grants get their tokens: where its endpoints are, how requests to
// them are authenticated, and what their answers mean.
type authorizationServer struct {
	config *Config
	http   *http.Client

	mu         sync.Mutex
	discovered *discovery    // nil before discovery, which is made once
	firstForm  chan struct{} // closed when the first form has its answer; nil before it
	refusal    *TokenError   // of the client itself; nil as long as there is none
}

// serverEndpoint is where forms are posted.
type serverEndpoint struct {
	url         string
	backchannel bool       // it is not the token endpoint, but that of CIBA
	method      AuthMethod // empty where the form itself proves who the client is
	offered     []string   // see TokenError
}

// tokenEndpoint is the token endpoint, from the configuration or else from discovery.
func (s *authorizationServer) tokenEndpoint(ctx context.Context) (serverEndpoint, error) {
	return s.endpoint(ctx, "token_endpoint", s.config.TokenURL)
}

// backchannelEndpoint is the backchannel authentication endpoint of CIBA.
func (s *authorizationServer) backchannelEndpoint(ctx context.Context) (serverEndpoint, error) {
	endpoint, err := s.endpoint(ctx, "backchannel_authentication_endpoint", s.config.BackchannelURL)
	endpoint.backchannel = true
	if failure, ok := errors.AsType[*TokenError](err); ok {
		about := *failure
		about.Backchannel = true
		return endpoint, &about
	}
	return endpoint, err
}

// endpoint is the configured one, or else the one that the discovery document names as the member.
func (s *authorizationServer) endpoint(ctx context.Context, member, configured string) (serverEndpoint, error) {
	if configured != "" {
		return serverEndpoint{url: configured, method: s.config.chooseAuthMethod(s.offered())}, nil
	}
	found, err := s.discover(ctx)
	if err != nil {
		return serverEndpoint{}, err
	}
	at, err := found.endpoint(member)
	return serverEndpoint{url: at, method: s.config.chooseAuthMethod(found.methods), offered: found.methods}, err
}

// offered are the methods that discovery offers, as far as it has been made.
func (s *authorizationServer) offered() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.discovered == nil {
		return nil
	}
	return s.discovered.methods
}

func (s *authorizationServer) discover(ctx context.Context) (discovery, error) {
	s.mu.Lock()
	known := s.discovered
	s.mu.Unlock()
	if known != nil {
		return *known, nil
	}
	found, err := discover(ctx, s.http, s.config)
	if err != nil {
		return discovery{}, err
	}
	s.mu.Lock()
	s.discovered = &found
	s.mu.Unlock()
	return found, nil
}

// asClient sends a form that proves who the client is. The first one goes alone, and the refusal of
// the client is the answer to all that come later, whatever device they are about: wrong
// credentials are sent once, so as not to lock the client out.
func (s *authorizationServer) asClient(ctx context.Context, endpoint serverEndpoint, about subjectMatter, send func() error) error {
	s.mu.Lock()
	first := s.firstForm
	if first == nil {
		own := make(chan struct{})
		s.firstForm = own
		defer close(own)
	}
	s.mu.Unlock()
	if first != nil {
		select {
		case <-first:
		case <-ctx.Done():
			return s.explain(endpoint, ctx.Err(), about)
		}
	}
	if refusal := s.refusalOfClient(about); refusal != nil {
		return refusal
	}
	err := send()
	if failure, ok := errors.AsType[*TokenError](err); ok && failure.final {
		s.mu.Lock()
		s.refusal = new(*failure)
		s.mu.Unlock()
	}
	return err
}

// refusalOfClient is the refusal of the client, if there was one, as it concerns the device.
func (s *authorizationServer) refusalOfClient(about subjectMatter) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refusal == nil {
		return nil
	}
	refusal := *s.refusal
	refusal.Device = about.device
	return &refusal
}

// token asks the token endpoint for a token. The parameters say by which grant; without a grant
// type, it is that of client credentials.
func (s *authorizationServer) token(ctx context.Context, endpoint serverEndpoint, scopes []string, parameters url.Values, about subjectMatter) (string, time.Duration, error) {
	request := clientcredentials.Config{TokenURL: endpoint.url, Scopes: scopes, EndpointParams: parameters, AuthStyle: oauth2.AuthStyleInParams}
	var token *oauth2.Token
	err := s.asClient(ctx, endpoint, about, func() (err error) {
		if token, err = request.Token(s.authenticated(ctx, endpoint.method)); err != nil {
			return s.explain(endpoint, err, about)
		}
		return nil
	})
	switch {
	case err != nil:
		return "", 0, err
	case !isHeaderSafe(token.AccessToken):
		return "", 0, &TokenError{
			URL: endpoint.url, Grant: s.config.Grant, permanent: true,
			Err: errors.New("the access token contains characters that are not allowed in a header"),
		}
	case token.Expiry.IsZero():
		return token.AccessToken, 0, nil
	}
	return token.AccessToken, time.Until(token.Expiry), nil
}

// subjectMatter is what a request of the authorization server is about, and what no error repeats.
type subjectMatter struct {
	device Device
	secret string // beside those of the configuration
}

func (s *authorizationServer) secrets(about subjectMatter) []string {
	return append(s.config.secrets(), about.secret)
}

// authenticated is a context with which x/oauth2 authenticates the client in every form that it
// posts. What it does by itself about authentication has to be off: oauth2.AuthStyleInParams, and
// no client id.
func (s *authorizationServer) authenticated(ctx context.Context, method AuthMethod) context.Context {
	client := *s.http
	client.Transport = &tokenTransport{next: s.http.Transport, config: s.config, method: method}
	return context.WithValue(ctx, oauth2.HTTPClient, &client)
}

// explain converts an error of x/oauth2, which may quote a megabyte of body.
func (s *authorizationServer) explain(endpoint serverEndpoint, err error, about subjectMatter) error {
	failure := &TokenError{
		URL: endpoint.url, Backchannel: endpoint.backchannel, Grant: s.config.Grant, Device: about.device,
		Method: endpoint.method, Offered: endpoint.offered,
	}
	var refusal *oauth2.RetrieveError
	if !errors.As(err, &refusal) {
		failure.Err = redacted(withoutURL(err), s.secrets(about), about.device)
		failure.permanent = isTLSFailure(err)
		return failure
	}
	words := func(text string) string { return readable(redactServer(text, s.secrets(about), about.device)) }
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
	failure.final = failure.permanent && (failure.Code == "invalid_client" || failure.Code == "unauthorized_client")
	return failure
}

// post posts a form to an endpoint that gives no token, and returns the members of its answer.
func (s *authorizationServer) post(ctx context.Context, endpoint serverEndpoint, form url.Values, about subjectMatter) (object, error) {
	var answer object
	err := s.asClient(ctx, endpoint, about, func() (err error) {
		answer, err = s.postForm(ctx, endpoint, form, about)
		return err
	})
	return answer, err
}

func (s *authorizationServer) postForm(ctx context.Context, endpoint serverEndpoint, form url.Values, about subjectMatter) (object, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint.url, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, s.explain(endpoint, err, about)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	client, _ := s.authenticated(ctx, endpoint.method).Value(oauth2.HTTPClient).(*http.Client)
	resp, err := client.Do(req)
	if err != nil {
		return nil, s.explain(endpoint, err, about)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := readBounded(resp.Body, maxTokenBody)
	if err != nil {
		return nil, s.explain(endpoint, err, about)
	}
	fields, err := decodeObject(body)
	if resp.StatusCode/100 != 2 || fields.text("error") != "" {
		return nil, s.explain(endpoint, &oauth2.RetrieveError{
			Response: resp, Body: body, ErrorCode: fields.text("error"), ErrorDescription: fields.text("error_description"),
		}, about)
	}
	if err != nil {
		return nil, s.explain(endpoint, ErrNotJSON, about)
	}
	return fields, nil
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
	body, err := readBounded(resp.Body, maxTokenBody)
	_ = resp.Body.Close()
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
	for _, name := range []string{"access_token", "token_type", "auth_req_id", "error", "error_description", "error_uri"} {
		if s := fields.text(name); s != "" {
			normal[name] = s
		}
	}
	// Errors of Telefónica's authorization endpoints have the members code, an integer, and
	// message. What the integers mean is not documented, so the message is searched for a code of
	// OAuth.
	if normal["error"] == nil && normal["access_token"] == nil && normal["auth_req_id"] == nil {
		normal["error"], normal["error_description"] = fields.text("code"), fields.text("message")
		if code := oauthCode.FindString(fields.text("message")); code != "" {
			normal["error"] = code
		}
	}
	for _, name := range []string{"expires_in", "interval"} {
		if seconds, ok := fields.lifetime(name); ok {
			normal[name] = seconds
		}
	}
	encoded, err := json.Marshal(normal)
	return encoded, err == nil
}

// oauthCode matches the codes of RFC 6749 §5.2 and CIBA Core §11 and §13.
var oauthCode = regexp.MustCompile(`\b(authorization_pending|slow_down|expired_token|access_denied|unknown_user_id|` +
	`invalid_(request|client|grant|scope)|unauthorized_client|unsupported_grant_type)\b`)

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
