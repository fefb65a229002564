package provider

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

const (
	defaultEndpoint       = "https://opengateway.telefonica.com/v1"
	defaultMaxRetries     = 4
	defaultRequestTimeout = 30 * time.Second
	maxRequestTimeout     = 10 * time.Minute
)

var defaultScopes = []string{"qod:sessions:read", "qod:sessions:write"}

type providerModel struct {
	Endpoint       types.String `tfsdk:"endpoint"`
	ClientID       types.String `tfsdk:"client_id"`
	ClientSecret   types.String `tfsdk:"client_secret"`
	AccessToken    types.String `tfsdk:"access_token"`
	TokenURL       types.String `tfsdk:"token_url"`
	Scopes         types.List   `tfsdk:"scopes"`
	MaxRetries     wholeNumber  `tfsdk:"max_retries"`
	RequestTimeout types.String `tfsdk:"request_timeout"`
}

// setting is one text value of the provider with the place it came from.
type setting struct {
	attribute string
	env       string
	value     string
	fromEnv   bool
	unknown   bool
}

func (s setting) given() bool { return s.value != "" || s.unknown }

// place names where the value was written, for errors.
func (s setting) place() string {
	if s.fromEnv {
		return "The environment variable " + s.env
	}
	return "The attribute " + s.attribute
}

// resolver reads settings and collects what is wrong with them, so that a person sees all of it
// in one run.
type resolver struct {
	getenv  func(string) string
	unknown []string
	diags   diag.Diagnostics
}

// configured is the attribute alone. An empty string counts as not set: that is how variables
// and pipelines spell "none".
func configured(attribute, env string, v types.String) setting {
	return setting{attribute: attribute, env: env, value: v.ValueString(), unknown: v.IsUnknown()}
}

// orEnv falls back to the environment.
func (r *resolver) orEnv(s setting) setting {
	if !s.given() {
		s.value, s.fromEnv = r.getenv(s.env), true
	}
	if s.unknown {
		r.unknown = append(r.unknown, s.attribute)
	}
	return s
}

func (r *resolver) fail(attribute, summary, detail string) {
	r.diags.AddAttributeError(path.Root(attribute), summary, detail)
}

// url checks a URL that credentials are sent to.
func (r *resolver) url(s setting) string {
	if s.value == "" {
		return ""
	}
	if problem := qod.CheckURL(s.value); problem != "" {
		r.fail(s.attribute, "Invalid "+title(s.attribute), fmt.Sprintf(
			"%s %s. Give an absolute https URL; set it with %s or %s. Given: %s.", s.place(), problem, s.attribute, s.env, bare(s.value)))
	}
	return s.value
}

// connect turns configuration and environment into a client, without any request. Values that
// Terraform does not know yet do not fail a plan: they fail the first call that needs them.
func connect(config providerModel, getenv func(string) string, userAgent string, posting sync.Locker) (qod.Sessions, diag.Diagnostics) {
	r := &resolver{getenv: getenv}
	client := qod.Config{
		Endpoint:       r.url(r.orEnv(configured("endpoint", "QOD_ENDPOINT", config.Endpoint))),
		TokenURL:       r.url(r.orEnv(configured("token_url", "QOD_TOKEN_URL", config.TokenURL))),
		Scopes:         r.scopes(config.Scopes),
		MaxRetries:     defaultMaxRetries,
		RequestTimeout: defaultRequestTimeout,
		UserAgent:      userAgent,
		Log:            logRequest,
		Posting:        posting,
	}
	if client.Endpoint == "" {
		client.Endpoint = defaultEndpoint
	}
	r.credentials(config, &client)
	if config.MaxRetries.IsUnknown() {
		r.unknown = append(r.unknown, "max_retries")
	} else if !config.MaxRetries.IsNull() {
		client.MaxRetries = int(config.MaxRetries.ValueInt64())
	}
	if config.RequestTimeout.IsUnknown() {
		r.unknown = append(r.unknown, "request_timeout")
	} else if d, err := time.ParseDuration(config.RequestTimeout.ValueString()); err == nil {
		client.RequestTimeout = d
	}
	if r.diags.HasError() {
		return nil, r.diags
	}
	if len(r.unknown) > 0 {
		return unconfigured{attributes: r.unknown}, r.diags
	}
	sessions, err := qod.New(client)
	if err != nil {
		r.diags.AddError("Invalid Provider Configuration", "The provider cannot be set up: "+err.Error()+".")
		return nil, r.diags
	}
	return sessions, r.diags
}

// credentials chooses the kind first: any credential attribute in configuration decides it, else
// QOD_ACCESS_TOKEN, else the pair. So a token in the environment never overrides a client that
// the configuration names.
func (r *resolver) credentials(config providerModel, client *qod.Config) {
	token := configured("access_token", "QOD_ACCESS_TOKEN", config.AccessToken)
	id := configured("client_id", "QOD_CLIENT_ID", config.ClientID)
	secret := configured("client_secret", "QOD_CLIENT_SECRET", config.ClientSecret)

	if token.value != "" && (id.value != "" || secret.value != "") {
		r.fail("access_token", "Invalid Access Token",
			"The attribute access_token conflicts with client_id and client_secret. Keep either the ready token or the pair. "+
				"(Both kinds can stay in the environment: QOD_ACCESS_TOKEN then goes before QOD_CLIENT_ID and QOD_CLIENT_SECRET.)")
		return
	}
	if token.unknown || id.unknown || secret.unknown {
		// It may turn out to be empty, so not even the kind is known.
		for _, s := range []setting{token, id, secret} {
			if s.unknown {
				r.unknown = append(r.unknown, s.attribute)
			}
		}
		return
	}
	if id.value == "" && secret.value == "" {
		if token = r.orEnv(token); token.value != "" {
			client.AccessToken = r.headerSafe(token)
			return
		}
	}
	id, secret = r.orEnv(id), r.orEnv(secret)
	client.ClientID, client.ClientSecret = r.oneLine(id), r.oneLine(secret)
	passedOver := ""
	if r.getenv(token.env) != "" {
		passedOver = " (QOD_ACCESS_TOKEN is not used, because the configuration names a client.)"
	}
	switch {
	case id.value == "" && secret.value == "":
		r.fail("client_id", "Missing Credentials",
			"The provider has no credentials for the API. Set QOD_CLIENT_ID and QOD_CLIENT_SECRET in the environment (or the attributes "+
				"client_id and client_secret), or a ready token in QOD_ACCESS_TOKEN (or the attribute access_token).")
	case id.value == "":
		r.fail("client_id", "Missing Client ID",
			"There is a client secret, but no client id to go with it. Set client_id, or QOD_CLIENT_ID in the environment."+passedOver)
	case secret.value == "":
		r.fail("client_secret", "Missing Client Secret",
			"There is a client id, but no secret to go with it. Set QOD_CLIENT_SECRET in the environment, or the attribute client_secret."+passedOver)
	}
}

// headerSafe refuses what cannot stand in an Authorization header, mostly the line feed of a
// token that was read from a file.
func (r *resolver) headerSafe(s setting) string {
	if headerUnsafe(s.value) {
		r.fail(s.attribute, "Invalid "+title(s.attribute), s.place()+
			" contains a space, a line feed or another character that cannot stand in an HTTP header. "+trimAdvice)
	}
	return s.value
}

// oneLine refuses what no client id or secret contains (RFC 6749, appendix A), for the same reason.
// The authorization server would call it invalid_client.
func (r *resolver) oneLine(s setting) string {
	if strings.IndexFunc(s.value, unicode.IsControl) >= 0 {
		r.fail(s.attribute, "Invalid "+title(s.attribute), s.place()+" contains a line feed or another control character. "+trimAdvice)
	}
	return s.value
}

const trimAdvice = "Where it comes from a file, remove the line feed at its end (trimspace in Terraform, tr -d '\\n' in a shell)."

func (r *resolver) scopes(list types.List) []string {
	if list.IsUnknown() {
		r.unknown = append(r.unknown, "scopes")
		return nil
	}
	var scopes []string
	for _, element := range list.Elements() {
		scope, ok := element.(types.String)
		if !ok || scope.IsUnknown() {
			r.unknown = append(r.unknown, "scopes")
			return nil
		}
		scopes = append(scopes, scope.ValueString())
	}
	if len(scopes) == 0 {
		scopes = strings.Fields(r.getenv("QOD_SCOPES"))
		for _, scope := range scopes {
			if scopeToken.problem(scope) != "" {
				r.fail("scopes", "Invalid Scopes", fmt.Sprintf(
					"The environment variable QOD_SCOPES must hold scopes with spaces between them, as in \"qod:sessions:read qod:sessions:write\". Given: %s.", quoted(scope)))
			}
		}
	}
	if len(scopes) == 0 {
		return defaultScopes
	}
	return scopes
}

// userAgent names the provider and who runs it, as other providers do. What a pipeline appends
// is cut to what a header may hold.
func userAgent(version, terraformVersion string, getenv func(string) string) string {
	agent := fmt.Sprintf("terraform-provider-qod/%s (+https://github.com/telefonica/terraform-provider-qod) Terraform/%s", version, terraformVersion)
	if extra := strings.TrimSpace(getenv("TF_APPEND_USER_AGENT")); extra != "" {
		agent += " " + extra
	}
	return strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, agent)
}

// unconfigured stands for the API while the provider's configuration depends on what Terraform
// has yet to create. A plan that needs no call succeeds with it.
type unconfigured struct{ attributes []string }

// unknownConfiguration is the error of every call to an unconfigured API.
type unknownConfiguration struct{ attributes []string }

func (e *unknownConfiguration) Error() string {
	last := len(e.attributes) - 1
	if last < 1 {
		return "the provider's " + strings.Join(e.attributes, "") + " is not known yet"
	}
	return "the provider's " + strings.Join(e.attributes[:last], ", ") + " and " + e.attributes[last] + " are not known yet"
}

func (u unconfigured) err() error { return &unknownConfiguration{u.attributes} }

func (u unconfigured) Check(s qod.Spec) []qod.Problem { return qod.Check(s) }
func (u unconfigured) Reserve(context.Context, qod.Spec) (qod.Session, error) {
	return qod.Session{}, u.err()
}
func (u unconfigured) Await(context.Context, qod.Ref) (qod.Session, error) {
	return qod.Session{}, u.err()
}
func (u unconfigured) Read(context.Context, qod.Ref) (qod.Session, error) {
	return qod.Session{}, u.err()
}
func (u unconfigured) Confirm(context.Context, qod.Ref) (qod.Session, bool) {
	return qod.Session{}, false
}
func (u unconfigured) Release(context.Context, qod.Ref) error                  { return u.err() }
func (u unconfigured) List(context.Context, qod.Filter) ([]qod.Session, error) { return nil, u.err() }
func (u unconfigured) Now(context.Context) (time.Time, error)                  { return time.Time{}, u.err() }
func (u unconfigured) Glance(context.Context) (time.Time, bool)                { return time.Time{}, false }
func (u unconfigured) Origin() string                                          { return "" }
