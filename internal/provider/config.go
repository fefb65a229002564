package provider

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

const (
	defaultMaxRetries     = 4
	defaultRequestTimeout = 30 * time.Second
	maxRequestTimeout     = 10 * time.Minute
)

type providerModel struct {
	API                     types.String           `tfsdk:"api"`
	APIPath                 types.String           `tfsdk:"api_path"`
	ProfilesPath            types.String           `tfsdk:"profiles_path"`
	Endpoint                types.String           `tfsdk:"endpoint"`
	Grant                   types.String           `tfsdk:"grant"`
	ClientID                types.String           `tfsdk:"client_id"`
	ClientSecret            types.String           `tfsdk:"client_secret"`
	ClientPrivateKey        types.String           `tfsdk:"client_private_key"`
	ClientPrivateKeyID      types.String           `tfsdk:"client_private_key_id"`
	ClientAssertionAudience types.String           `tfsdk:"client_assertion_audience"`
	TokenEndpointAuthMethod types.String           `tfsdk:"token_endpoint_auth_method"`
	AccessToken             types.String           `tfsdk:"access_token"`
	DeviceInRequests        types.Bool             `tfsdk:"device_in_requests"`
	Headers                 types.Map              `tfsdk:"headers"`
	TokenURL                types.String           `tfsdk:"token_url"`
	BackchannelURL          types.String           `tfsdk:"backchannel_authentication_url"`
	MaxPending              validators.WholeNumber `tfsdk:"max_pending_authorizations"`
	TokenParameters         types.Map              `tfsdk:"token_parameters"`
	Scopes                  types.List             `tfsdk:"scopes"`
	MaxRetries              validators.WholeNumber `tfsdk:"max_retries"`
	RequestTimeout          types.String           `tfsdk:"request_timeout"`
}

// setting is a string of the provider's configuration, and where it comes from.
type setting struct {
	attribute string
	env       string
	value     string
	fromEnv   bool
	unknown   bool
}

func (s setting) given() bool { return s.value != "" || s.unknown }

// place names where the value was set, for errors.
func (s setting) place() string {
	if s.fromEnv {
		return "The environment variable " + s.env
	}
	return "The attribute " + s.attribute
}

// name is where the value was set, in the middle of a sentence.
func (s setting) name() string {
	if s.fromEnv {
		return s.env
	}
	return s.attribute
}

// resolver reads settings and collects all errors, so that a person sees them in one run.
type resolver struct {
	getenv  func(string) string // nil: the environment does not count
	unknown []string
	// withoutCredentials says that there are none at all, which a run that asks the API for nothing
	// can do without.
	withoutCredentials bool
	diags              diag.Diagnostics
}

func (r *resolver) env(name string) string {
	if r.getenv == nil {
		return ""
	}
	return r.getenv(name)
}

// configured is the attribute alone. An empty string counts as unset, since variables and pipelines
// often have no other way to say so.
func configured(attribute, env string, v types.String) setting {
	return setting{attribute: attribute, env: env, value: v.ValueString(), unknown: v.IsUnknown()}
}

// orEnv falls back to the environment.
func (r *resolver) orEnv(s setting) setting {
	if !s.given() {
		s.value, s.fromEnv = r.env(s.env), true
	}
	if s.unknown {
		r.unknown = append(r.unknown, s.attribute)
	}
	return s
}

func (r *resolver) fail(attribute, summary, detail string) {
	r.diags.AddAttributeError(path.Root(attribute), summary, detail)
}

func (r *resolver) refuse(at path.Path, allowed, given string) {
	r.diags.Append(validators.Invalid(at, allowed, given))
}

// url checks a URL to which credentials are sent.
func (r *resolver) url(s setting) string {
	if s.value == "" {
		return ""
	}
	if problem := qod.CheckURL(s.value); problem != "" {
		if hint := validators.Mistyped(s.value); hint != "" {
			problem += ". " + hint
		}
		r.fail(s.attribute, "Invalid "+validators.Title(s.attribute), fmt.Sprintf(
			"%s %s Set %s or %s to an absolute https URL. Given: %s.", s.place(), validators.Ended(problem), s.attribute, s.env, validators.BareURL(s.value)))
	}
	return s.value
}

// connect makes a client from the configuration and the environment, without any request. Values
// that are unknown at plan time do not fail the plan, and nor do credentials that are missing: they
// fail the first call that needs them.
func connect(config providerModel, getenv func(string) string, userAgent string, postInFlight sync.Locker, transport http.RoundTripper) (qod.Sessions, diag.Diagnostics) {
	r := &resolver{getenv: getenv}
	client := r.read(config)
	if slices.Contains(r.unknown, "api") {
		r.fail("api", "Unknown API", "The attribute api is not known yet, because it depends on what Terraform has yet to create. "+
			"Terraform has to know it when it plans, since it decides what can be requested, and what can be changed in place. "+
			"Set it to a literal or a variable, or leave it out and set QOD_API. "+supported)
	}
	client.UserAgent, client.Log, client.PostInFlight, client.Transport = userAgent, logRequest, postInFlight, transport
	if r.diags.HasError() {
		return nil, r.diags
	}
	switch {
	case len(r.unknown) > 0:
		return unconfigured{api: client.API, grant: client.Grant, err: &diagnostics.UnknownConfigurationError{Attributes: r.unknown}}, r.diags
	case r.withoutCredentials:
		return unconfigured{api: client.API, grant: client.Grant, endpoint: qod.EndpointFor(client), err: &diagnostics.MissingCredentialsError{}}, r.diags
	}
	sessions, err := qod.New(client)
	if err != nil {
		r.diags.AddError("Invalid Provider Configuration", "The provider cannot be set up: "+err.Error()+".")
		return nil, r.diags
	}
	return sessions, r.diags
}

// misconfigured reports errors in the configuration itself. If there are any, it adds those in the
// environment: Terraform stops here, and would report them only in the next run.
func misconfigured(config providerModel, getenv func(string) string) diag.Diagnostics {
	alone := &resolver{}
	alone.read(config)
	if !alone.diags.HasError() {
		return nil
	}
	all := &resolver{getenv: getenv}
	all.read(config)
	return all.diags
}

// read is the configuration of the client, without what only a run knows.
func (r *resolver) read(config providerModel) qod.Config {
	api := r.api(r.orEnv(configured("api", "QOD_API", config.API)))
	grant := r.grant(r.orEnv(configured("grant", "QOD_GRANT", config.Grant)))
	client := qod.Config{
		API:            api,
		Grant:          grant,
		APIPath:        r.path(r.orEnv(configured("api_path", "QOD_API_PATH", config.APIPath)), "API", "the sessions", qod.DefaultAPIPath(api)),
		ProfilesPath:   r.path(r.orEnv(configured("profiles_path", "QOD_PROFILES_PATH", config.ProfilesPath)), "Profiles", "the profiles", qod.DefaultProfilesPath),
		Endpoint:       r.endpoint(r.orEnv(configured("endpoint", "QOD_ENDPOINT", config.Endpoint)), api),
		TokenURL:       r.url(r.orEnv(configured("token_url", "QOD_TOKEN_URL", config.TokenURL))),
		Scopes:         r.scopes(config.Scopes, qod.DefaultScopes(api, grant)),
		MaxRetries:     r.number("max_retries", "QOD_MAX_RETRIES", config.MaxRetries, 0, 20, defaultMaxRetries),
		RequestTimeout: r.requestTimeout(r.orEnv(configured("request_timeout", "QOD_REQUEST_TIMEOUT", config.RequestTimeout))),

		DeviceInRequests: r.deviceInRequests(config.DeviceInRequests, api),
	}
	if given := config.ProfilesPath.ValueString(); given != "" && !qod.LimitsOf(api).ProfilesAPI {
		r.fail("profiles_path", "Invalid Profiles Path", fmt.Sprintf(
			"With api = %q there is no profiles API of its own. Leave out profiles_path, or set api to %q. Given: %s.", api, qod.CAMARAV1, validators.BareURL(given)))
	}
	r.requireScopes(config.Scopes, &client)
	r.ciba(config, &client)
	r.credentials(config, &client)
	return client
}

// grant is the grant to use, by default that of client credentials.
func (r *resolver) grant(s setting) qod.Grant {
	if s.value == "" {
		return qod.ClientCredentials
	}
	if grant := qod.Grant(s.value); slices.Contains(qod.Grants(), grant) {
		return grant
	}
	var names []string
	for _, grant := range qod.Grants() {
		names = append(names, string(grant))
	}
	r.failChoice(s, names)
	return qod.ClientCredentials
}

// deviceInRequests is whether requests name the device, where that is up to the configuration. The
// variable of the environment may be there for other runs.
func (r *resolver) deviceInRequests(configured types.Bool, api qod.API) *bool {
	s := setting{attribute: "device_in_requests", env: "QOD_DEVICE_IN_REQUESTS", unknown: configured.IsUnknown()}
	if isSet(configured) {
		s.value = strconv.FormatBool(configured.ValueBool())
	}
	s = r.orEnv(s)
	switch {
	case s.value == "", api != qod.CAMARAV1 && s.fromEnv:
		return nil
	case api != qod.CAMARAV1:
		r.fail(s.attribute, "Conflicting API", fmt.Sprintf("The attribute device_in_requests belongs to api = %q, but the API is %s, whose requests always name the device. Leave it out.", qod.CAMARAV1, api))
	case s.value != "true" && s.value != "false":
		r.failChoice(s, []string{"true", "false"})
	default:
		return new(s.value == "true")
	}
	return nil
}

// failChoice refuses a value that is none of the names.
func (r *resolver) failChoice(s setting, names []string) {
	hint := validators.DidYouMean(s.value, names)
	if hint == "" {
		hint = validators.Mistyped(s.value)
	}
	if hint != "" {
		hint = " " + hint
	}
	r.fail(s.attribute, "Invalid "+validators.Title(s.attribute), fmt.Sprintf("%s must be one of %s.%s Set it with %s or %s, or leave it out. Given: %s.",
		s.place(), strings.Join(names, ", "), hint, s.attribute, s.env, validators.Quoted(s.value)))
}

// ciba reads what belongs to the grant ciba alone. Attributes are refused with another; variables
// of the environment may be there for other runs.
func (r *resolver) ciba(config providerModel, client *qod.Config) {
	url := configured("backchannel_authentication_url", "QOD_BACKCHANNEL_AUTHENTICATION_URL", config.BackchannelURL)
	if client.Grant == qod.CIBA {
		client.BackchannelURL = r.url(r.orEnv(url))
		client.MaxPending = r.number("max_pending_authorizations", "QOD_MAX_PENDING_AUTHORIZATIONS", config.MaxPending, 1, 1000, qod.DefaultMaxPending)
		return
	}
	if config.Grant.IsUnknown() || r.getenv == nil && config.Grant.ValueString() == "" {
		return // it may be ciba
	}
	for attribute, given := range map[string]bool{url.attribute: url.given(), "max_pending_authorizations": !config.MaxPending.IsNull()} {
		if given {
			r.fail(attribute, "Conflicting Grant", fmt.Sprintf("The attribute %s belongs to grant = \"ciba\", but the grant is %s. Set grant (or QOD_GRANT) to ciba, or leave out %s.",
				attribute, client.Grant, attribute))
		}
	}
}

// number is a whole number of the configuration or, if that has none, of the environment.
func (r *resolver) number(attribute, variable string, n validators.WholeNumber, least, most, fallback int64) int {
	allowed := validators.Int64Between(least, most, "")
	problem := allowed.Problem(n)
	switch {
	case problem != "":
		r.refuse(path.Root(attribute), problem, n.String())
	case n.IsUnknown():
		r.unknown = append(r.unknown, attribute)
	case !n.IsNull():
		return int(n.ValueInt64())
	}
	given := strings.TrimSpace(r.env(variable))
	if given == "" || !n.IsNull() {
		return int(fallback)
	}
	number, err := strconv.ParseInt(given, 10, 64)
	if err != nil || allowed.Problem(validators.NewWholeNumber(number)) != "" {
		r.fail(attribute, "Invalid "+validators.Title(attribute), fmt.Sprintf("The environment variable %s must be a whole number from %d to %d. Given: %s.",
			variable, least, most, validators.Quoted(given)))
	}
	return int(number)
}

// api is the API to use, by default that of the provider's own document.
func (r *resolver) api(s setting) qod.API {
	if s.value == "" {
		return qod.OpenGateway
	}
	if api := qod.API(s.value); slices.Contains(qod.APIs(), api) {
		return api
	}
	hint := validators.Mistyped(s.value)
	if hint == "" {
		hint = validators.DidYouMean(s.value, apiNames())
	}
	r.fail(s.attribute, "Invalid API", strings.Join(slices.DeleteFunc([]string{
		s.place() + " is not the name of an API that the provider supports.", hint,
		supported + " Set api or QOD_API to one of these.", "Given: " + validators.Quoted(s.value) + ".",
	}, func(sentence string) bool { return sentence == "" }), " "))
	return qod.OpenGateway
}

// supported names the APIs, for errors. The first one is the default.
var supported = "Supported: " + strings.Replace(strings.Join(apiNames(), ", "), string(qod.OpenGateway), string(qod.OpenGateway)+" (the default)", 1) + "."

func apiNames() []string {
	var names []string
	for _, api := range qod.APIs() {
		names = append(names, string(api))
	}
	return names
}

// path is where an API is below the endpoint; empty for its default. What is the API's noun, and of
// what its paths are.
func (r *resolver) path(s setting, what, of, byDefault string) string {
	if s.value == "" {
		return ""
	}
	if problem := qod.CheckAPIPath(s.value); problem != "" {
		if hint := validators.Mistyped(s.value); hint != "" {
			problem += ". " + hint
		}
		r.fail(s.attribute, "Invalid "+what+" Path", fmt.Sprintf(
			"%s %s Set %s or %s to the path of the API below endpoint, without that of %s, or leave both out for %q. Given: %s.",
			s.place(), validators.Ended(problem), s.attribute, s.env, of, byDefault, validators.BareURL(s.value)))
	}
	return s.value
}

// endpoint is the base URL of the API. Only the API of the provider's own document has one that is
// the same for everybody.
func (r *resolver) endpoint(s setting, api qod.API) string {
	switch {
	case s.given():
		return r.url(s)
	case api == qod.OpenGateway:
		return qod.DefaultEndpoint
	case r.getenv != nil: // or else the environment may provide it
		r.fail("endpoint", "Missing Endpoint", fmt.Sprintf(
			"The API %s has no endpoint that is the same for everybody. Set endpoint or QOD_ENDPOINT to the base URL that the operator gave you.", api))
	}
	return ""
}

func scopeAllowed(example string) string {
	return fmt.Sprintf("must be one scope without spaces, as in %q. Write several as several elements, or in QOD_SCOPES with spaces between them", example)
}

func isScope(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }) < 0
}

// scopes are the configured ones, or else those of the API.
func (r *resolver) scopes(list types.List, ofAPI []string) []string {
	if list.IsNull() {
		return r.scopesFromEnv(ofAPI)
	}
	at, unknown := path.Root("scopes"), list.IsUnknown()
	var scopes []string // none are sent for an empty list
	for i, element := range list.Elements() {
		scope, _ := element.(types.String)
		switch {
		case scope.IsUnknown():
			unknown = true
		case scope.IsNull():
			r.refuse(at.AtListIndex(i), scopeAllowed(ofAPI[0]), "null")
		case !isScope(scope.ValueString()):
			r.refuse(at.AtListIndex(i), scopeAllowed(ofAPI[0]), validators.Quoted(scope.ValueString()))
		}
		scopes = append(scopes, scope.ValueString())
	}
	if unknown {
		r.unknown = append(r.unknown, "scopes")
	}
	return scopes
}

// requireScopes refuses to request none by a grant that needs one.
func (r *resolver) requireScopes(list types.List, client *qod.Config) {
	if !list.IsNull() && !list.IsUnknown() && len(list.Elements()) == 0 && client.Grant != qod.ClientCredentials {
		r.refuse(path.Root("scopes"), fmt.Sprintf("must name at least one scope with the grant %s, which says by it what a token is for. Leave it out for %q",
			client.Grant, strings.Join(qod.DefaultScopes(client.API, client.Grant), " ")), "an empty list")
	}
}

func (r *resolver) scopesFromEnv(ofAPI []string) []string {
	given := r.env("QOD_SCOPES")
	scopes := strings.Fields(given)
	if len(scopes) == 0 {
		return ofAPI
	}
	hint := ""
	switch {
	case validators.InQuotes(given):
		hint = " " + validators.Mistyped(given)
	case strings.ContainsAny(given, ",;"):
		hint = " It contains a comma or a semicolon: write a space in its place."
	case !slices.ContainsFunc(scopes, func(scope string) bool { return !isScope(scope) }):
		return scopes
	}
	r.fail("scopes", "Invalid Scopes", fmt.Sprintf(
		"The environment variable QOD_SCOPES must hold scopes with spaces between them, as in %q.%s Given: %s.", strings.Join(ofAPI, " "), hint, validators.Quoted(given)))
	return scopes
}

func (r *resolver) requestTimeout(s setting) time.Duration {
	if s.value == "" {
		return defaultRequestTimeout
	}
	if problem := validators.Duration(maxRequestTimeout).Problem(s.value); problem != "" {
		r.fail(s.attribute, "Invalid "+validators.Title(s.attribute), fmt.Sprintf("%s %s Set %s or %s, or leave it out. Given: %s.",
			s.place(), validators.Ended(problem), s.attribute, s.env, validators.Quoted(s.value)))
	}
	timeout, _ := time.ParseDuration(s.value)
	return timeout
}

// userAgent names the provider and its caller, as other providers do. What a pipeline appends is
// reduced to what a header may contain.
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
