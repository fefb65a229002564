package provider

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// credentials chooses the kind first: any credential attribute in the configuration decides it,
// else QOD_ACCESS_TOKEN, else the client, else headers. So a token in the environment never
// overrides a client that the configuration names.
func (r *resolver) credentials(config providerModel, client *qod.Config) {
	token := configured("access_token", "QOD_ACCESS_TOKEN", config.AccessToken)
	id := configured("client_id", "QOD_CLIENT_ID", config.ClientID)
	secret := configured("client_secret", "QOD_CLIENT_SECRET", config.ClientSecret)
	key := configured("client_private_key", "QOD_CLIENT_PRIVATE_KEY", config.ClientPrivateKey)
	byGrant := config.Grant.ValueString() != "" && client.Grant != qod.ClientCredentials
	namesClient := id.value != "" || secret.value != "" || key.value != "" || byGrant

	client.Headers = r.headers(config.Headers)
	client.AuthMethod = r.authMethod(config.TokenEndpointAuthMethod)
	keyID := r.orEnv(configured("client_private_key_id", "QOD_CLIENT_PRIVATE_KEY_ID", config.ClientPrivateKeyID))
	audience := r.orEnv(configured("client_assertion_audience", "QOD_CLIENT_ASSERTION_AUDIENCE", config.ClientAssertionAudience))
	client.PrivateKeyID, client.AssertionAudience = r.oneLine(keyID), r.oneLine(audience)
	client.TokenParameters = r.stringMap("token_parameters", config.TokenParameters, qod.CheckTokenParameter)

	if token.value != "" && (id.value != "" || secret.value != "" || key.value != "") {
		r.fail("access_token", "Conflicting Credentials",
			"The attribute access_token conflicts with client_id, client_secret and client_private_key. Set either the static access token, or the client id with its secret or private key. "+
				"(The environment may have both: QOD_ACCESS_TOKEN takes precedence over QOD_CLIENT_ID, QOD_CLIENT_SECRET and QOD_CLIENT_PRIVATE_KEY.)")
		return
	}
	if client.Grant == qod.JWTBearer {
		client.AuthMethod = ""
		r.refuseOtherProof(secret, configured("token_endpoint_auth_method", "QOD_TOKEN_ENDPOINT_AUTH_METHOD", config.TokenEndpointAuthMethod))
	}
	if token.unknown || id.unknown || secret.unknown || key.unknown || config.TokenEndpointAuthMethod.IsUnknown() || config.Grant.IsUnknown() {
		// It may turn out to be empty, so even the kind is unknown.
		for _, s := range []setting{token, id, secret, key} {
			if s.unknown {
				r.unknown = append(r.unknown, s.attribute)
			}
		}
		return
	}
	if token.value != "" || !namesClient {
		if token = r.orEnv(token); token.value != "" {
			client.AccessToken = r.headerSafe(token)
			r.refuseGrant(token, setting{attribute: "grant", env: "QOD_GRANT", value: string(client.Grant), fromEnv: config.Grant.ValueString() == ""})
			return
		}
	}
	r.requireKey(r.orEnv(key), keyID, audience)
	id = r.orEnv(id)
	secret, key = r.proof(secret, key, client)
	client.ClientID, client.ClientSecret, client.PrivateKey = r.oneLine(id), r.oneLine(secret), r.privateKey(key)
	if r.getenv != nil { // otherwise the environment may provide what is missing
		r.complete(id, secret, key, client)
	}
}

// refuseGrant refuses a grant beside the token that would be used, wherever the two are set. Other
// variables may be there for other runs, but a grant says what the tokens of this one are for.
func (r *resolver) refuseGrant(token, grant setting) {
	if grant.value != string(qod.ClientCredentials) {
		r.fail(token.attribute, "Conflicting Credentials", fmt.Sprintf(
			"There are both an access token (%s) and the grant %s (%s), by which the provider gets a token for each device by itself. Remove one of them.",
			token.name(), grant.value, grant.name()))
	}
}

// requireKey refuses attributes that belong to a private key where there is none: the secret would
// be sent instead, without a word. Variables of the environment may be there for other runs.
func (r *resolver) requireKey(key setting, belonging ...setting) {
	for _, s := range belonging {
		if r.getenv != nil && key.value == "" && s.value != "" && !s.fromEnv {
			r.fail(s.attribute, "Missing Client Private Key", "The attribute "+s.attribute+" is set, but there is no private key that it belongs to. "+
				"Set QOD_CLIENT_PRIVATE_KEY in the environment (or the attribute client_private_key), or leave out "+s.attribute+".")
		}
	}
}

// refuseOtherProof refuses what would prove who the client is beside the assertion of jwt_bearer.
// Variables of the environment may be there for other runs.
func (r *resolver) refuseOtherProof(settings ...setting) {
	for _, s := range settings {
		if s.given() {
			r.fail(s.attribute, "Conflicting Credentials", fmt.Sprintf(
				"The attribute %s is of no use with the grant jwt_bearer: the assertion that client_private_key signs also proves who the client is, and nothing else may. Leave out %s.",
				s.attribute, s.attribute))
		}
	}
}

// proof is the client's secret or its private key: the one that the grant or the method is for,
// else the one that the configuration has, else the one that the environment has.
func (r *resolver) proof(secret, key setting, client *qod.Config) (setting, setting) {
	switch {
	case client.AuthMethod == qod.PrivateKeyJWT || client.Grant == qod.JWTBearer:
		return setting{}, r.orEnv(key)
	case client.AuthMethod != "":
		return r.orEnv(secret), setting{}
	case secret.value != "" || key.value != "":
		return secret, key
	}
	return r.orEnv(secret), r.orEnv(key)
}

// complete says what is missing of a client, or too much.
func (r *resolver) complete(id, secret, key setting, client *qod.Config) {
	passedOver := ""
	if r.getenv("QOD_ACCESS_TOKEN") != "" {
		passedOver = " (QOD_ACCESS_TOKEN is not used, because the configuration names a client.)"
	}
	method := client.AuthMethod
	switch {
	case id.value == "" && secret.value == "" && key.value == "" && len(client.Headers) > 0 && client.Grant != qod.ClientCredentials:
		r.fail("client_id", "Missing Client ID", fmt.Sprintf(
			"The grant %s gets a token for each device, for which it needs a client: headers alone are none. Set client_id, or QOD_CLIENT_ID in the environment, "+
				"or leave out grant (QOD_GRANT).", client.Grant))
	case id.value == "" && secret.value == "" && key.value == "":
		r.withoutCredentials = len(client.Headers) == 0
	case id.value == "":
		what := "client secret"
		if key.value != "" {
			what = "private key"
		}
		r.fail("client_id", "Missing Client ID",
			"There is a "+what+", but no client id to go with it. Set client_id, or QOD_CLIENT_ID in the environment."+passedOver)
	case client.Grant == qod.JWTBearer && key.value == "":
		r.fail("client_private_key", "Missing Client Private Key",
			"The grant is jwt_bearer, but there is no private key to sign its assertions. Set QOD_CLIENT_PRIVATE_KEY in the environment, or the attribute client_private_key."+passedOver)
	case secret.value != "" && key.value != "":
		r.fail("token_endpoint_auth_method", "Conflicting Credentials",
			fmt.Sprintf("There are both a client secret (%s) and a private key (%s). Remove one of them, or say which one is to be used: "+
				"set token_endpoint_auth_method (QOD_TOKEN_ENDPOINT_AUTH_METHOD) to client_secret_basic or client_secret_post for the secret, to private_key_jwt for the key.",
				secret.name(), key.name()))
	case method == qod.PrivateKeyJWT && key.value == "":
		r.fail("client_private_key", "Missing Client Private Key",
			"token_endpoint_auth_method is private_key_jwt, but there is no private key. Set QOD_CLIENT_PRIVATE_KEY in the environment, or the attribute client_private_key. "+
				"To use a client secret, set token_endpoint_auth_method to client_secret_basic or client_secret_post."+passedOver)
	case method != "" && method != qod.PrivateKeyJWT && secret.value == "":
		r.fail("client_secret", "Missing Client Secret",
			"token_endpoint_auth_method is "+string(method)+", but there is no client secret. Set QOD_CLIENT_SECRET in the environment, or the attribute client_secret. "+
				"To use a private key, set token_endpoint_auth_method to private_key_jwt."+passedOver)
	case secret.value == "" && key.value == "":
		r.fail("client_secret", "Missing Client Secret",
			"There is a client id, but neither a secret nor a private key to go with it. Set QOD_CLIENT_SECRET or QOD_CLIENT_PRIVATE_KEY in the environment, "+
				"or the attribute client_secret or client_private_key."+passedOver)
	}
}

func (r *resolver) authMethod(given types.String) qod.AuthMethod {
	s := r.orEnv(configured("token_endpoint_auth_method", "QOD_TOKEN_ENDPOINT_AUTH_METHOD", given))
	if s.value == "" || slices.Contains(qod.AuthMethods(), qod.AuthMethod(s.value)) {
		return qod.AuthMethod(s.value)
	}
	var names []string
	for _, method := range qod.AuthMethods() {
		names = append(names, string(method))
	}
	r.failChoice(s, names)
	return ""
}

// privateKey reads the PEM of a key, and says what it is if it is none that can be used.
func (r *resolver) privateKey(s setting) *qod.PrivateKey {
	if s.value == "" {
		return nil
	}
	key, problem := qod.ParsePrivateKey(s.value)
	switch {
	case problem != "" && validators.InQuotes(s.value):
		r.fail(s.attribute, "Invalid "+validators.Title(s.attribute), s.place()+inQuotes)
	case problem != "":
		r.fail(s.attribute, "Invalid "+validators.Title(s.attribute), fmt.Sprintf("%s %s. Set it with %s or %s.",
			s.place(), problem, s.attribute, s.env))
	}
	return key
}

func (r *resolver) headers(given types.Map) map[string]string {
	if given.IsNull() {
		return r.headersFromEnv()
	}
	headers := r.stringMap("headers", given, qod.CheckHeader)
	r.refuseTwins(headers)
	return headers
}

// headersFromEnv reads a JSON object, as no separator is safe in the values of headers.
func (r *resolver) headersFromEnv() map[string]string {
	given := r.env("QOD_HEADERS")
	if strings.TrimSpace(given) == "" {
		return nil
	}
	var headers map[string]string
	if json.Unmarshal([]byte(given), &headers) != nil || headers == nil {
		hint := ""
		if validators.InQuotes(given) {
			hint = " The quotation marks around it have become part of the value: remove them."
		}
		r.fail("headers", "Invalid Headers", `The environment variable QOD_HEADERS must hold a JSON object of strings, as in {"X-API-Key": "…"}.`+hint+
			" (What was given is not shown, as it is secret.)")
		return nil
	}
	for name, value := range headers {
		if problem := qod.CheckHeader(name, value); problem != "" {
			r.fail("headers", "Invalid Headers", fmt.Sprintf("The header %s in the environment variable QOD_HEADERS %s.", validators.Quoted(name), problem))
		}
	}
	r.refuseTwins(headers)
	return headers
}

// refuseTwins refuses two names of one header: names of headers are the same in upper and lower
// case.
func (r *resolver) refuseTwins(headers map[string]string) {
	seen := map[string]string{}
	for name := range headers {
		canonical := http.CanonicalHeaderKey(name)
		if twin, ok := seen[canonical]; ok {
			r.fail("headers", "Invalid Headers", fmt.Sprintf("%s and %s are the same header: leave one out (headers, or QOD_HEADERS).",
				validators.Quoted(min(name, twin)), validators.Quoted(max(name, twin))))
		}
		seen[canonical] = name
	}
}

// stringMap reads a map whose values are secret.
func (r *resolver) stringMap(attribute string, given types.Map, check func(name, value string) (problem string)) map[string]string {
	unknown := given.IsUnknown()
	values := map[string]string{}
	for name, element := range given.Elements() {
		value, _ := element.(types.String)
		problem := ""
		switch {
		case value.IsUnknown():
			unknown = true
		case value.IsNull():
			problem = "is null: leave it out"
		default:
			problem = check(name, value.ValueString())
		}
		if problem != "" {
			r.diags.AddAttributeError(path.Root(attribute).AtMapKey(name), "Invalid "+validators.Title(attribute),
				fmt.Sprintf("In %s, %s %s.", attribute, validators.Quoted(name), problem))
		}
		values[name] = value.ValueString()
	}
	if unknown {
		r.unknown = append(r.unknown, attribute)
	}
	return values
}

// headerSafe refuses what an Authorization header cannot contain, which is mostly the line feed of
// a token that was read from a file.
func (r *resolver) headerSafe(s setting) string {
	problem := ""
	switch {
	case validators.HasBearer(s.value):
		problem = " starts with \"Bearer\": give the token alone."
	case validators.InQuotes(s.value):
		problem = inQuotes
	case !validators.HeaderSafe(s.value):
		problem = " contains a space, a line feed or another character that cannot stand in an HTTP header. " + s.trimAdvice()
	}
	if problem != "" {
		r.fail(s.attribute, "Invalid "+validators.Title(s.attribute), s.place()+problem)
	}
	return s.value
}

// oneLine refuses what no client id or secret contains (RFC 6749, appendix A). The authorization
// server would answer it with invalid_client.
func (r *resolver) oneLine(s setting) string {
	switch {
	case strings.IndexFunc(s.value, unicode.IsControl) >= 0:
		r.fail(s.attribute, "Invalid "+validators.Title(s.attribute), s.place()+" contains a line feed or another control character. "+s.trimAdvice())
	case validators.InQuotes(s.value):
		r.fail(s.attribute, "Invalid "+validators.Title(s.attribute), s.place()+inQuotes)
	}
	return s.value
}

// inQuotes is what is wrong with a value that an env file or a pipeline has passed on with its
// quotation marks.
const inQuotes = " is in quotation marks, which have become part of the value: remove them. (Env files and the settings of pipelines take values without them.)"

func (s setting) trimAdvice() string {
	return "Where the value comes from a file, remove the line feed at its end (trimspace in Terraform, tr -d '\\n' in a shell). " +
		"Set it with " + s.attribute + " or " + s.env + "."
}
