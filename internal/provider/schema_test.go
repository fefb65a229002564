// Proves that every schema passes the framework's own checks, that each attribute says what it is,
// what it may be and what it is when left out, and that none can be given a value unchecked.

package provider

import (
	"context"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	dataschema "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	providerschema "github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
)

func TestSchema_framework(t *testing.T) {
	t.Parallel()
	w := acc.NewClient(t, nil)
	if len(w.Schemas.Diagnostics) > 0 {
		t.Errorf("the framework says of the schemas:\n%s", acctest.Describe(w.Schemas.Diagnostics))
	}
	identities, err := w.Server.GetResourceIdentitySchemas(t.Context(), &tfprotov6.GetResourceIdentitySchemasRequest{})
	if err != nil || len(identities.Diagnostics) > 0 || identities.IdentitySchemas["qod_session"] == nil {
		t.Errorf("identity schemas: %v, %s", err, acctest.Describe(identities.Diagnostics))
	}
	for name, s := range schemasOf(t) {
		if diags := s.ValidateImplementation(t.Context()); diags.HasError() {
			t.Errorf("%s: %v", name, diags)
		}
	}
}

// attribute is what the three kinds of schema have in common.
type attribute interface {
	GetDescription() string
	GetMarkdownDescription() string
	IsRequired() bool
	IsOptional() bool
	IsComputed() bool
	IsSensitive() bool
	IsWriteOnly() bool
}

// promised is what the description of an attribute has to say besides what it is: what is allowed,
// and what is meant when it is left out.
var promised = map[string][]string{
	"provider.api":                            {"`open-gateway`", "must be known", "`QOD_API`", "Default: `open-gateway`"},
	"provider.api_path":                       {"leading slash", "`/` if the sessions are at `endpoint` itself", "`QOD_API_PATH`", "Default: that of the API's document", "`/qod` for `open-gateway`"},
	"provider.device_in_requests":             {"`UNNECESSARY_IDENTIFIER`", "`QOD_DEVICE_IN_REQUESTS`", "Default: `true`"},
	"provider.profiles_path":                  {"leading slash", "`QOD_PROFILES_PATH`", "Default: `/qos-profiles/v1`"},
	"provider.endpoint":                       {"`https`", "loopback", "`QOD_ENDPOINT`", "Default: `https://opengateway.telefonica.com/v1`", "`https://sandbox.opengateway.telefonica.com/v1`"},
	"provider.client_id":                      {"`QOD_CLIENT_ID`", "Conflicts with `access_token`"},
	"provider.client_secret":                  {"`QOD_CLIENT_SECRET`", "`client_id`", "Conflicts with `access_token`"},
	"provider.access_token":                   {"`QOD_ACCESS_TOKEN`", "cannot renew", "Conflicts with `client_id`, `client_secret` and `client_private_key`"},
	"provider.client_private_key":             {"`QOD_CLIENT_PRIVATE_KEY`", "PKCS#8, PKCS#1 or SEC 1", "not encrypted", "2048 bits", "P-256", "Ed25519", "Conflicts with `access_token`"},
	"provider.client_private_key_id":          {"`kid`", "Default: none", "`QOD_CLIENT_PRIVATE_KEY_ID`"},
	"provider.client_assertion_audience":      {"`aud`", "Default: the URL", "`QOD_CLIENT_ASSERTION_AUDIENCE`"},
	"provider.token_endpoint_auth_method":     {"`client_secret_basic`, `client_secret_post` or `private_key_jwt`", "Default: `private_key_jwt` with a private key", "`QOD_TOKEN_ENDPOINT_AUTH_METHOD`"},
	"provider.grant":                          {"`client_credentials`", "`ciba`", "`jwt_bearer`", "a plan and its apply ask once each", "Default: `client_credentials`", "`QOD_GRANT`"},
	"provider.backchannel_authentication_url": {"`ciba`", "Default: the `backchannel_authentication_endpoint`", "`QOD_BACKCHANNEL_AUTHENTICATION_URL`"},
	"provider.max_pending_authorizations":     {"`ciba`", "from 1 to 1000", "Default: `10`", "`QOD_MAX_PENDING_AUTHORIZATIONS`"},
	"provider.headers":                        {"never to the token endpoint", "credentials enough", "refused", "Default: none", "`QOD_HEADERS`", "JSON object"},
	"provider.token_parameters":               {"`audience`", "refused", "Default: none"},
	"provider.token_url":                      {"`QOD_TOKEN_URL`", "Default: the `token_endpoint`", "`/.well-known/openid-configuration`"},
	"provider.scopes":                         {"`QOD_SCOPES`", "empty list requests none", "`qod:sessions:read`, `qod:sessions:write` for `open-gateway`", "`qod-sessions-read`", "with `ciba`", "`dpv:RequestedServiceProvision#qod`"},
	"provider.max_retries":                    {"0 to 20", "Default: `4`"},
	"provider.request_timeout":                {"10 minutes", "Default: `\"30s\"`"},

	"qod_session.device":                               {"at least one", "replaces the session"},
	"qod_session.device.phone_number":                  {"E.164", "`+34600000000`", "Quote it"},
	"qod_session.device.network_access_identifier":     {"`device@example.com`"},
	"qod_session.device.ipv4_address.public_address":   {"`198.51.100.10`"},
	"qod_session.device.ipv4_address.public_port":      {"0 to 65535"},
	"qod_session.device.ipv6_address":                  {"`2001:db8::10`", "Equivalent notations"},
	"qod_session.application_server":                   {"at least one", "Default: any server", "replaces the session"},
	"qod_session.application_server.ipv4_address":      {"CIDR", "`198.51.100.0/24`"},
	"qod_session.application_server.ipv6_address":      {"CIDR", "`2001:db8::/32`"},
	"qod_session.qos_profile":                          {"`QOS_E`, `QOS_S`, `QOS_M` or `QOS_L`", "replaces the session"},
	"qod_session.duration":                             {"seconds", "1 to 86400", "replaces the session"},
	"qod_session.device.ipv4_address.private_address":  {"`public_port`", "camara-v1", "camara-v0"},
	"qod_session.device_ports":                         {"Default: all", "camara-v1", "camara-v0", "replaces the session"},
	"qod_session.device_ports.ports":                   {"1 to 65535"},
	"qod_session.device_ports.ranges":                  {"both ends"},
	"qod_session.device_ports.ranges.from":             {"1 to 65535"},
	"qod_session.device_ports.ranges.to":               {"1 to 65535", "`from`"},
	"qod_session.application_server_ports":             {"Default: all", "camara-v1", "camara-v0", "replaces the session"},
	"qod_session.application_server_ports.ports":       {"1 to 65535"},
	"qod_session.application_server_ports.ranges":      {"both ends"},
	"qod_session.application_server_ports.ranges.from": {"1 to 65535"},
	"qod_session.application_server_ports.ranges.to":   {"1 to 65535", "`from`"},
	"qod_session.notification_auth_token_expires_at":   {"RFC 3339", "Default: an hour after", "camara-v1", "replaces the session"},
	"qod_session.status_info":                          {"`UNAVAILABLE`", "`NETWORK_TERMINATED`", "null"},
	"qod_session.notification_url":                     {"`https` or `http`", "replaces the session"},
	"qod_session.notification_auth_token":              {"Write-only", "`notification_auth_token_version`", "ephemeral variable"},
	"qod_session.notification_auth_token_version":      {"0 or greater", "replaces the session"},
	"qod_session.wait_for_available":                   {"`AVAILABLE`", "Default: `true`"},
	"qod_session.timeouts.create":                      {"duration", "Default: `\"5m\"`"},
	"qod_session.timeouts.delete":                      {"duration", "Default: `\"2m\"`"},
	"qod_session.qos_status":                           {"`REQUESTED`, `AVAILABLE` or `UNAVAILABLE`"},
	"qod_session.started_at":                           {"RFC 3339, UTC", "Null"},
	"qod_session.expires_at":                           {"RFC 3339, UTC", "Null"},
	"qod_session.endpoint":                             {"Base URL", "was created, or will be requested", "refused"},

	"qod_reservation.device":                               {"at least one", "replaces the reservation"},
	"qod_reservation.device.phone_number":                  {"E.164", "`+34600000000`", "Quote it"},
	"qod_reservation.device.network_access_identifier":     {"`device@example.com`"},
	"qod_reservation.device.ipv4_address.public_address":   {"`198.51.100.10`"},
	"qod_reservation.device.ipv4_address.public_port":      {"0 to 65535"},
	"qod_reservation.device.ipv6_address":                  {"`2001:db8::10`", "Equivalent notations"},
	"qod_reservation.application_server":                   {"at least one", "Default: any server", "replaces the reservation"},
	"qod_reservation.application_server.ipv4_address":      {"CIDR", "`198.51.100.0/24`"},
	"qod_reservation.application_server.ipv6_address":      {"CIDR", "`2001:db8::/32`"},
	"qod_reservation.qos_profile":                          {"`QOS_E`, `QOS_S`, `QOS_M` or `QOS_L`", "replaces the reservation"},
	"qod_reservation.starts_at":                            {"RFC 3339", "offset", "may be in the past", "Default: none", "never replaces"},
	"qod_reservation.ends_at":                              {"RFC 3339", "offset", "after `starts_at`", "24 hours", "never replaces", "does not extend"},
	"qod_reservation.device.ipv4_address.private_address":  {"`public_port`", "camara-v1", "camara-v0"},
	"qod_reservation.device_ports":                         {"Default: all", "camara-v1", "camara-v0", "replaces the reservation"},
	"qod_reservation.device_ports.ports":                   {"1 to 65535"},
	"qod_reservation.device_ports.ranges":                  {"both ends"},
	"qod_reservation.device_ports.ranges.from":             {"1 to 65535"},
	"qod_reservation.device_ports.ranges.to":               {"1 to 65535", "`from`"},
	"qod_reservation.application_server_ports":             {"Default: all", "camara-v1", "camara-v0", "replaces the reservation"},
	"qod_reservation.application_server_ports.ports":       {"1 to 65535"},
	"qod_reservation.application_server_ports.ranges":      {"both ends"},
	"qod_reservation.application_server_ports.ranges.from": {"1 to 65535"},
	"qod_reservation.application_server_ports.ranges.to":   {"1 to 65535", "`from`"},
	"qod_reservation.notification_auth_token_expires_at":   {"RFC 3339", "Default: an hour after", "camara-v1", "replaces the reservation"},
	"qod_reservation.status_info":                          {"`UNAVAILABLE`", "`NETWORK_TERMINATED`", "null"},
	"qod_reservation.notification_url":                     {"`https` or `http`", "replaces the reservation"},
	"qod_reservation.notification_auth_token":              {"Write-only", "`notification_auth_token_version`", "ephemeral variable"},
	"qod_reservation.notification_auth_token_version":      {"0 or greater", "replaces the reservation"},
	"qod_reservation.replace_to_extend":                    {"interruption of a few seconds", "gap", "Default: `false`"},
	"qod_reservation.sessions":                             {"oldest first", "50", "after the window"},
	"qod_reservation.sessions.started_at":                  {"RFC 3339, UTC", "Null"},
	"qod_reservation.sessions.ended_at":                    {"RFC 3339, UTC", "Null while the session is live", "upper bound", "a plan alone records nothing"},
	"qod_reservation.granted_seconds":                      {"including those", "until its `expires_at`", "upper bound"},
	"qod_reservation.wait_for_available":                   {"`AVAILABLE`", "Default: `true`"},
	"qod_reservation.timeouts.create":                      {"duration", "inside its window", "Default: `\"5m\"`"},
	"qod_reservation.timeouts.update":                      {"duration", "Default: `\"5m\"`"},
	"qod_reservation.timeouts.delete":                      {"duration", "Default: `\"2m\"`"},
	"qod_reservation.id":                                   {"random UUID", "imported"},
	"qod_reservation.session_id":                           {"Null while there is none"},
	"qod_reservation.status":                               {"`SCHEDULED`", "`DUE`", "`REQUESTED`, `AVAILABLE` or `UNAVAILABLE`", "`OVERDUE`", "`ENDED`"},
	"qod_reservation.started_at":                           {"RFC 3339, UTC", "Null"},
	"qod_reservation.expires_at":                           {"RFC 3339, UTC", "`ends_at`", "Null"},
	"qod_reservation.window_seconds":                       {"Known at plan time", "Null without `starts_at`"},
	"qod_reservation.endpoint":                             {"Base URL", "was created, or will be requested", "refused"},

	"qod_profiles.device":                              {"can use", "at least one"},
	"qod_profiles.device.phone_number":                 {"E.164", "`+34600000000`"},
	"qod_profiles.device.network_access_identifier":    {"`device@example.com`"},
	"qod_profiles.device.ipv4_address.public_address":  {"`198.51.100.10`"},
	"qod_profiles.device.ipv4_address.public_port":     {"0 to 65535", "Default: any"},
	"qod_profiles.device.ipv4_address.private_address": {"camara-v1"},
	"qod_profiles.device.ipv6_address":                 {"`2001:db8::10`", "Equivalent notations"},
	"qod_profiles.name":                                {"Default: any"},
	"qod_profiles.status":                              {"`ACTIVE`, `INACTIVE` or `DEPRECATED`", "Default: any"},
	"qod_sessions.device":                              {"at least one", "Default: any", "Required with `camara-v1`"},
	"qod_sessions.device.phone_number":                 {"E.164", "`+34600000000`"},
	"qod_sessions.device.network_access_identifier":    {"`device@example.com`"},
	"qod_sessions.device.ipv4_address.public_address":  {"`198.51.100.10`"},
	"qod_sessions.device.ipv4_address.public_port":     {"0 to 65535", "Default: any"},
	"qod_sessions.device.ipv4_address.private_address": {"camara-v1"},
	"qod_sessions.device.ipv6_address":                 {"`2001:db8::10`", "Equivalent notations"},
	"qod_sessions.qos_profile":                         {"`QOS_E`, `QOS_S`, `QOS_M` or `QOS_L`", "Default: any"},
	"qod_sessions.qos_status":                          {"`REQUESTED`, `AVAILABLE` or `UNAVAILABLE`", "Default: any"},
	"qod_sessions.sessions":                            {"started", "`id`"},
	"qod_sessions.read_at":                             {"API's clock", "RFC 3339, UTC", "Null"},
	"qod_sessions.sessions.device":                     {"Null"},
	"qod_sessions.sessions.started_at":                 {"RFC 3339, UTC"},
	"qod_sessions.sessions.expires_at":                 {"RFC 3339, UTC"},
}

// A description starts with what the attribute is or does.
var badStart = regexp.MustCompile(`^(A|An|The|This|These|That|It|If|When|Whether|What|Which|How|Where|Specifies|Sets|Defines|Indicates|Represents|Used|Your)\b`)

func TestSchema_descriptions(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	walk(t, func(at string, a attribute, _ []validator.Describer) {
		seen[at] = true
		text := a.GetMarkdownDescription()
		switch {
		case text == "":
			t.Errorf("%s has no description", at)
			return
		case badStart.MatchString(text):
			t.Errorf("%s does not start with a noun or a verb: %s", at, text)
		case text[0] < 'A' || text[0] > 'Z':
			t.Errorf("%s does not start with a capital letter: %s", at, text)
		case !strings.HasSuffix(text, "."):
			t.Errorf("%s does not end a sentence: %s", at, text)
		case strings.Contains(text, "  ") || strings.TrimSpace(text) != text:
			t.Errorf("%s has spaces to spare: %q", at, text)
		}
		if plain := a.GetDescription(); plain != "" {
			t.Errorf("%s has a second description, which would be shown nowhere: %s", at, plain)
		}
		for _, part := range promised[at] {
			if !strings.Contains(text, part) {
				t.Errorf("%s does not say %s: %s", at, part, text)
			}
		}
		if promised[at] == nil && (a.IsOptional() || a.IsRequired()) && !strings.HasSuffix(at, ".timeouts") && !strings.HasSuffix(at, ".ipv4_address") {
			t.Errorf("%s can be set, and nothing is promised of its description", at)
		}
	})
	for at := range promised {
		if !seen[at] {
			t.Errorf("there is no %s", at)
		}
	}
	for name, s := range schemasOf(t) {
		if text := s.GetMarkdownDescription(); text == "" || !strings.HasSuffix(text, ".") {
			t.Errorf("%s is described as %q", name, text)
		}
	}
}

// Every provider attribute that the environment can stand in for says so, as does the index page.
func TestSchema_environment(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/index.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "## Environment variables")
	table, _, _ = strings.Cut(table, "\n## ")
	for _, name := range []string{
		"api", "api_path", "endpoint", "grant", "backchannel_authentication_url", "max_pending_authorizations", "client_id", "client_secret", "client_private_key", "client_private_key_id", "client_assertion_audience",
		"token_endpoint_auth_method", "access_token", "headers", "token_url", "scopes", "max_retries", "request_timeout", "profiles_path", "device_in_requests",
	} {
		want := "Environment variable: `QOD_" + strings.ToUpper(name) + "`"
		if text := schemasOf(t)["provider"].GetAttributes()[name].GetMarkdownDescription(); !strings.Contains(text, want) {
			t.Errorf("%s does not say %s: %s", name, want, text)
		}
		if variable := "`QOD_" + strings.ToUpper(name) + "`"; !strings.Contains(table, variable) || !strings.Contains(table, "`"+name+"`") {
			t.Errorf("the table of the index page has no %s, or no %s", variable, name)
		}
	}
	if variables := regexp.MustCompile("Environment variable: `QOD_"); strings.Count(table, "`QOD_") != len(variables.FindAllString(string(page), -1)) {
		t.Errorf("the index page has another number of variables than its arguments: %s", table)
	}
}

func TestSchema_secrets(t *testing.T) {
	t.Parallel()
	var sensitive, writeOnly []string
	walk(t, func(at string, a attribute, _ []validator.Describer) {
		if a.IsSensitive() {
			sensitive = append(sensitive, at)
		}
		if a.IsWriteOnly() {
			writeOnly = append(writeOnly, at)
		}
	})
	slices.Sort(sensitive)
	if want := []string{"provider.access_token", "provider.client_private_key", "provider.client_secret", "provider.headers", "provider.token_parameters"}; !slices.Equal(sensitive, want) {
		t.Errorf("sensitive are %v, want %v", sensitive, want)
	}
	slices.Sort(writeOnly)
	if want := []string{"qod_reservation.notification_auth_token", "qod_session.notification_auth_token"}; !slices.Equal(writeOnly, want) {
		t.Errorf("write-only are %v, want %v", writeOnly, want)
	}
}

// unchecked has no validators: a bool has no wrong value, and what is wrong with the provider is
// said all at once, see misconfigured.
var unchecked = []string{
	"provider.api", "provider.api_path", "provider.profiles_path", "provider.endpoint", "provider.client_id", "provider.client_secret", "provider.access_token", "provider.token_url",
	"provider.client_private_key", "provider.client_private_key_id", "provider.client_assertion_audience", "provider.token_endpoint_auth_method",
	"provider.device_in_requests", "provider.headers", "provider.token_parameters", "provider.scopes", "provider.max_retries", "provider.grant", "provider.backchannel_authentication_url", "provider.max_pending_authorizations", "provider.request_timeout",
	"qod_session.wait_for_available", "qod_reservation.wait_for_available", "qod_reservation.replace_to_extend",
}

// isCheckedWithin reports whether the members of an object or a set are checked, by validators of
// their own or by the API.
func isCheckedWithin(at string) bool {
	return slices.ContainsFunc([]string{"device.ipv4_address", "_ports.ports", "_ports.ranges"}, func(end string) bool {
		return strings.HasSuffix(at, end)
	})
}

func TestSchema_validators(t *testing.T) {
	t.Parallel()
	walk(t, func(at string, a attribute, checks []validator.Describer) {
		if !a.IsOptional() && !a.IsRequired() {
			return
		}
		for _, v := range checks {
			if v.Description(t.Context()) == "" || v.MarkdownDescription(t.Context()) != v.Description(t.Context()) {
				t.Errorf("%s: %T does not describe itself", at, v)
			}
		}
		if (len(checks) == 0) != (slices.Contains(unchecked, at) || isCheckedWithin(at)) {
			t.Errorf("%s has %d validators", at, len(checks))
		}
		// What is no int64 at all is refused by nothing else.
		ranged := slices.ContainsFunc(checks, func(v validator.Describer) bool { _, ok := v.(validators.Int64Range); return ok })
		if whole := isWholeNumber(a); whole != ranged && !slices.Contains(unchecked, at) {
			t.Errorf("%s: is a whole number: %t, has a range: %t", at, whole, ranged)
		}
	})
}

func isWholeNumber(a attribute) bool {
	switch a := a.(type) {
	case providerschema.Int64Attribute:
		return a.CustomType == validators.WholeNumberType{}
	case schema.Int64Attribute:
		return a.CustomType == validators.WholeNumberType{}
	case dataschema.Int64Attribute:
		return a.CustomType == validators.WholeNumberType{}
	}
	return false
}

// A schema default would make every import "1 to change".
func TestSchema_noDefaults(t *testing.T) {
	t.Parallel()
	walk(t, func(at string, a attribute, _ []validator.Describer) {
		if a.IsComputed() && a.IsOptional() {
			t.Errorf("%s is optional and computed: what the API says would stand for what was configured", at)
		}
	})
}

type implementation interface {
	ValidateImplementation(context.Context) diag.Diagnostics
	GetMarkdownDescription() string
}

type anySchema struct {
	implementation
	attributes map[string]attribute
}

func (s anySchema) GetAttributes() map[string]attribute { return s.attributes }

// schemasOf are the schemas of this provider by name.
func schemasOf(t *testing.T) map[string]anySchema {
	t.Helper()
	p := New("test")()
	var whole provider.SchemaResponse
	p.Schema(t.Context(), provider.SchemaRequest{}, &whole)
	schemas := map[string]anySchema{"provider": {whole.Schema, widened(whole.Schema.Attributes)}}
	for _, factory := range p.Resources(t.Context()) {
		r := factory()
		var named resource.MetadataResponse
		var resp resource.SchemaResponse
		r.Metadata(t.Context(), resource.MetadataRequest{ProviderTypeName: "qod"}, &named)
		r.Schema(t.Context(), resource.SchemaRequest{}, &resp)
		schemas[named.TypeName] = anySchema{resp.Schema, widened(resp.Schema.Attributes)}
	}
	for _, factory := range p.DataSources(t.Context()) {
		d := factory()
		var named datasource.MetadataResponse
		var resp datasource.SchemaResponse
		d.Metadata(t.Context(), datasource.MetadataRequest{ProviderTypeName: "qod"}, &named)
		d.Schema(t.Context(), datasource.SchemaRequest{}, &resp)
		schemas[named.TypeName] = anySchema{resp.Schema, widened(resp.Schema.Attributes)}
	}
	return schemas
}

func widened[A attribute](attributes map[string]A) map[string]attribute {
	wide := map[string]attribute{}
	for name, a := range attributes {
		wide[name] = a
	}
	return wide
}

// walk calls f for every attribute of every schema, those within objects and lists too.
func walk(t *testing.T, f func(at string, a attribute, validators []validator.Describer)) {
	t.Helper()
	var into func(at string, attributes map[string]attribute)
	into = func(at string, attributes map[string]attribute) {
		for name, a := range attributes {
			inner, validators := insides(t, a)
			f(at+name, a, validators)
			into(at+name+".", inner)
		}
	}
	schemas := schemasOf(t)
	if len(schemas) < 3 {
		t.Fatalf("there are %d schemas", len(schemas))
	}
	for name, s := range schemas {
		into(name+".", s.attributes)
	}
}

// insides are the attributes within an attribute, and its validators.
func insides(t *testing.T, a attribute) (map[string]attribute, []validator.Describer) {
	t.Helper()
	switch a := a.(type) {
	case schema.SingleNestedAttribute:
		return widened(a.Attributes), describers(a.Validators)
	case dataschema.SingleNestedAttribute:
		return widened(a.Attributes), describers(a.Validators)
	case schema.ListNestedAttribute:
		return widened(a.NestedObject.Attributes), describers(a.Validators)
	case dataschema.ListNestedAttribute:
		return widened(a.NestedObject.Attributes), describers(a.Validators)
	case providerschema.StringAttribute:
		return nil, describers(a.Validators)
	case schema.StringAttribute:
		return nil, describers(a.Validators)
	case dataschema.StringAttribute:
		return nil, describers(a.Validators)
	case providerschema.Int64Attribute:
		return nil, describers(a.Validators)
	case schema.Int64Attribute:
		return nil, describers(a.Validators)
	case dataschema.Int64Attribute:
		return nil, describers(a.Validators)
	case providerschema.BoolAttribute:
		return nil, describers(a.Validators)
	case schema.BoolAttribute:
		return nil, describers(a.Validators)
	case schema.ListAttribute:
		return nil, describers(a.Validators)
	case providerschema.ListAttribute:
		return nil, describers(a.Validators)
	case providerschema.MapAttribute:
		return nil, describers(a.Validators)
	}
	t.Fatalf("this test does not know attributes of type %T", a)
	return nil, nil
}

func describers[V validator.Describer](validators []V) []validator.Describer {
	var all []validator.Describer
	for _, v := range validators {
		all = append(all, v)
	}
	return all
}
