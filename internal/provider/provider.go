package provider

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

var (
	_ provider.ProviderWithListResources  = (*qodProvider)(nil)
	_ provider.ProviderWithValidateConfig = (*qodProvider)(nil)
)

type qodProvider struct {
	version      string
	getenv       func(string) string
	postInFlight sync.Locker       // see qod.Config
	transport    http.RoundTripper // see qod.Config
	override     qod.Sessions      // takes the place of the API in tests
	// Once configured:
	sessions qod.Sessions   // the way to them
	owners   *sessionOwners // the records that hold them
	planned  *plannedRequests
}

// New returns the provider's factory. The version goes into the User-Agent.
func New(version string) func() provider.Provider {
	return func() provider.Provider { return &qodProvider{version: version, getenv: os.Getenv} }
}

func (p *qodProvider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "qod"
	resp.Version = p.version
}

func (p *qodProvider) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Reserves mobile network quality for devices through Telefónica's Quality on Demand API or CAMARA's.",
		Attributes: map[string]schema.Attribute{
			"api": schema.StringAttribute{
				MarkdownDescription: "API that `endpoint` serves: `" + strings.Join(apiNames(), "`, `") + "`. `open-gateway` is Telefónica's Quality on Demand API, " +
					"`camara-v1` is CAMARA's quality-on-demand 1.x, and `camara-v0` its QoD 0.10, which Telefónica's developer sandbox speaks. " +
					"It must be known whenever Terraform plans. " +
					"Default: `" + string(qod.OpenGateway) + "`. Environment variable: `QOD_API`.",
				Optional: true,
			},
			"api_path": schema.StringAttribute{
				MarkdownDescription: "Path of the API below `endpoint`, with a leading slash and without `/sessions`; `/` if the sessions are at `endpoint` itself. " +
					"Default: that of the API's document, which is " + defaultPaths() + ". Environment variable: `QOD_API_PATH`.",
				Optional: true,
			},
			"profiles_path": schema.StringAttribute{
				MarkdownDescription: "Path of the profiles API of `camara-v1` below `endpoint`, with a leading slash, for the data source `qod_profiles`. " +
					"Default: `" + qod.DefaultProfilesPath + "`. Environment variable: `QOD_PROFILES_PATH`.",
				Optional: true,
			},
			"endpoint": schema.StringAttribute{
				MarkdownDescription: "Base URL of the API, without a query or fragment: `https`, or `http` for a loopback address only. " +
					"Default: `" + qod.DefaultEndpoint + "`, the production host in the document of `" + string(qod.OpenGateway) + "`, whose sandbox is " +
					"`https://sandbox.opengateway.telefonica.com/v1`. Environment variable: `QOD_ENDPOINT`.",
				Optional: true,
			},
			"grant": schema.StringAttribute{
				MarkdownDescription: "OAuth 2.0 grant with which the provider gets access tokens. `client_credentials`: one token for all devices. " +
					"`ciba` (OpenID Connect CIBA, poll mode): a token for each device, to which its user has to agree. " +
					"The operator may send the user a message, and a plan and its apply ask once each. " +
					"`jwt_bearer`: a token for each device with a phone number, for which nobody is asked. It needs `client_private_key`. " +
					"Default: `client_credentials`. Environment variable: `QOD_GRANT`. Conflicts with `access_token`.",
				Optional: true,
			},
			"backchannel_authentication_url": schema.StringAttribute{
				MarkdownDescription: "URL of the backchannel authentication endpoint, at which `ciba` asks for a user's consent. " +
					"Default: the `backchannel_authentication_endpoint` in `/.well-known/openid-configuration` on the host of `endpoint`. " +
					"Environment variable: `QOD_BACKCHANNEL_AUTHENTICATION_URL`.",
				Optional: true,
			},
			"max_pending_authorizations": schema.Int64Attribute{
				MarkdownDescription: fmt.Sprintf("Number of users that `ciba` asks at a time, from 1 to 1000. Default: `%d`. Environment variable: `QOD_MAX_PENDING_AUTHORIZATIONS`.", qod.DefaultMaxPending),
				Optional:            true,
				CustomType:          validators.WholeNumberType{},
			},
			"client_id": schema.StringAttribute{
				MarkdownDescription: "OAuth 2.0 client id, used with `client_secret` or `client_private_key`. Environment variable: `QOD_CLIENT_ID`. Conflicts with `access_token`.",
				Optional:            true,
			},
			"client_secret": schema.StringAttribute{
				MarkdownDescription: "OAuth 2.0 client secret of `client_id`. Environment variable: `QOD_CLIENT_SECRET`, which keeps the secret out of saved plans. Conflicts with `access_token`.",
				Optional:            true,
				Sensitive:           true,
			},
			"client_private_key": schema.StringAttribute{
				MarkdownDescription: "Private key of `client_id`, in place of a secret, as PEM (PKCS#8, PKCS#1 or SEC 1) that is not encrypted. It signs assertions (`private_key_jwt`, and the grant `jwt_bearer`): " +
					"RSA of 2048 bits or more with RS256, EC P-256 with ES256, Ed25519 with EdDSA. Line feeds may be written as `\\n`. " +
					"Environment variable: `QOD_CLIENT_PRIVATE_KEY`, which keeps the key out of saved plans. Conflicts with `access_token`.",
				Optional:  true,
				Sensitive: true,
			},
			"client_private_key_id": schema.StringAttribute{
				MarkdownDescription: "Id under which the authorization server knows the public key of `client_private_key` (`kid`). Default: none. " +
					"Environment variable: `QOD_CLIENT_PRIVATE_KEY_ID`.",
				Optional: true,
			},
			"client_assertion_audience": schema.StringAttribute{
				MarkdownDescription: "Audience of the assertions that `client_private_key` signs (`aud`). Some authorization servers want their issuer there. " +
					"Default: the URL that the assertion is sent to. Environment variable: `QOD_CLIENT_ASSERTION_AUDIENCE`.",
				Optional: true,
			},
			"token_endpoint_auth_method": schema.StringAttribute{
				MarkdownDescription: "Method by which the client proves who it is: `client_secret_basic`, `client_secret_post` or `private_key_jwt`. " +
					"Default: `private_key_jwt` with a private key; with a secret, `client_secret_basic`, or `client_secret_post` if the discovery document offers only that. " +
					"Required with both a secret and a key. Environment variable: `QOD_TOKEN_ENDPOINT_AUTH_METHOD`.",
				Optional: true,
			},
			"access_token": schema.StringAttribute{
				MarkdownDescription: "Static bearer token, used instead of client credentials. The provider cannot renew it and cannot tell which client it belongs to: " +
					"a session that is not visible with it stays in the state, with an error, until the session's end. " +
					"Environment variable: `QOD_ACCESS_TOKEN`. Conflicts with `client_id`, `client_secret` and `client_private_key`.",
				Optional:  true,
				Sensitive: true,
			},
			"device_in_requests": schema.BoolAttribute{
				MarkdownDescription: "Name the device in requests. Only with CAMARA's API (`api = \"camara-v1\"`), which wants it unless the access token is for one device; gateways differ. " +
					"Set it to `false` where the API answers `UNNECESSARY_IDENTIFIER`, as with an `access_token` for one device, and to `true` where it answers `MISSING_IDENTIFIER`. " +
					"Default: `true`, or `false` with a `grant` that gets an access token for each device. Environment variable: `QOD_DEVICE_IN_REQUESTS`, `true` or `false`.",
				Optional: true,
			},
			"headers": schema.MapAttribute{
				MarkdownDescription: "Headers that an API gateway wants, such as its API key. They are sent with every request to the API, and never to the token endpoint or another host. " +
					"Without other credentials they are credentials enough, and no `Authorization` is sent. Their values are secret. " +
					"Headers that the provider or HTTP sets, such as `Authorization`, `Host` and `Content-Type`, are refused. Default: none. " +
					"Environment variable: `QOD_HEADERS`, a JSON object of strings, which keeps them out of saved plans.",
				Optional:    true,
				Sensitive:   true,
				ElementType: types.StringType,
			},
			"token_url": schema.StringAttribute{
				MarkdownDescription: "URL of the OAuth 2.0 token endpoint. " +
					"Default: the `token_endpoint` in `/.well-known/openid-configuration` on the host of `endpoint`. " +
					"Environment variable: `QOD_TOKEN_URL`.",
				Optional: true,
			},
			"token_parameters": schema.MapAttribute{
				MarkdownDescription: "Further parameters of token requests, such as `audience` or `resource`. With `ciba`, requests for consent have them as well. Their values are kept out of errors and logs. " +
					"Parameters that the provider sends itself, such as `scope` and `client_id`, are refused. Default: none.",
				Optional:    true,
				Sensitive:   true,
				ElementType: types.StringType,
			},
			"scopes": schema.ListAttribute{
				MarkdownDescription: "OAuth 2.0 scopes to request. An empty list requests none, for clients that must not name any; `ciba` and `jwt_bearer` need one at least. " +
					"Default: those of the API's document, which are " + defaultScopes() + ". " +
					"Environment variable: `QOD_SCOPES`, separated by spaces.",
				Optional:    true,
				ElementType: types.StringType,
			},
			"max_retries": schema.Int64Attribute{
				MarkdownDescription: "Maximum number of retries after a transient failure, from 0 to 20. Default: `4`. " +
					"A response that proves that nothing happened (429, or 503 with `Retry-After`) does not count: it is retried until the operation's timeout. " +
					"A request to create a session is repeated only when the outcome of the previous one is known. Environment variable: `QOD_MAX_RETRIES`.",
				Optional:   true,
				CustomType: validators.WholeNumberType{},
			},
			"request_timeout": schema.StringAttribute{
				MarkdownDescription: "Time allowed for each request, as a [duration](https://pkg.go.dev/time#ParseDuration) such as `\"45s\"`, up to 10 minutes. Default: `\"30s\"`. " +
					"Environment variable: `QOD_REQUEST_TIMEOUT`.",
				Optional: true,
			},
		},
	}
}

// defaultPaths names where each API is by default.
func defaultPaths() string {
	var paths []string
	for _, api := range qod.APIs() {
		paths = append(paths, fmt.Sprintf("`%s` for `%s`", qod.DefaultAPIPath(api), api))
	}
	return strings.Join(paths, ", ")
}

// defaultScopes are those of each API, for the description of scopes.
func defaultScopes() string {
	var scopes []string
	for _, api := range qod.APIs() {
		limits := qod.LimitsOf(api)
		ofAPI := []string{fmt.Sprintf("`%s` for `%s`", strings.Join(limits.Scopes, "`, `"), api)}
		// With the grants whose tokens are for one device.
		for _, grant := range []qod.Grant{qod.CIBA, qod.JWTBearer} {
			all := qod.DefaultScopes(api, grant)
			switch added := slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(limits.Scopes, s) }); len(added) {
			case 0:
			case len(all):
				ofAPI = append(ofAPI, fmt.Sprintf("with `%s` `%s` alone", grant, strings.Join(added, "`, `")))
			default:
				ofAPI = append(ofAPI, fmt.Sprintf("with `%s` also `%s`", grant, strings.Join(added, "`, `")))
			}
		}
		scopes = append(scopes, strings.Join(ofAPI, ", "))
	}
	return strings.Join(scopes, "; ")
}

// ValidateConfig also runs in terraform validate, where credentials may be missing.
func (p *qodProvider) ValidateConfig(ctx context.Context, req provider.ValidateConfigRequest, resp *provider.ValidateConfigResponse) {
	var config providerModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(misconfigured(config, p.getenv)...)
	}
}

func (p *qodProvider) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	var config providerModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	sessions := p.override
	if sessions == nil {
		var diags diag.Diagnostics
		sessions, diags = connect(config, p.getenv, userAgent(p.version, req.TerraformVersion, p.getenv), p.postInFlight, p.transport)
		resp.Diagnostics.Append(diags...)
		if resp.Diagnostics.HasError() {
			return
		}
	}
	// A debugged process is configured for one run after another. An import that was only planned
	// has another owner in each of them.
	p.sessions, p.owners, p.planned = sessions, new(sessionOwners), &plannedRequests{collide: collisions(sessions)}
	resp.ResourceData = resourceData{sessions, p.owners, p.planned, &handovers{collide: collisions(sessions)}}
	resp.DataSourceData = sessions
	resp.ListResourceData = sessions
}

func (p *qodProvider) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{newSessionResource, newReservationResource}
}

func (p *qodProvider) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{newSessionsDataSource, newProfilesDataSource}
}

func (p *qodProvider) Functions(context.Context) []func() function.Function {
	return []func() function.Function{newLocalTimeFunction}
}

func (p *qodProvider) ListResources(context.Context) []func() list.ListResource {
	return []func() list.ListResource{newSessionListResource}
}
