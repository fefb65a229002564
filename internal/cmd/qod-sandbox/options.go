package main

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// options are the flags of every command that runs a sandbox.
type options struct {
	api                   string
	provisioning, latency time.Duration
	extend                string
	deviations            string
	mockRules             bool
	grant                 string
	consent               string
	consentAfter          time.Duration
	consentTime           time.Duration
	telefonicaErrors      bool
	publicKey, headers    string
	remoteWebhooks        bool
	quiet                 bool
}

// grantByDefault is the provider's default.
const grantByDefault = "client_credentials"

func (o *options) define(flags *flag.FlagSet) {
	flags.StringVar(&o.api, "api", string(sandbox.OpenGateway),
		"the `name` of the API to serve, as in the provider's api attribute:\n"+apis())
	flags.StringVar(&o.extend, "extend", "total",
		"the `rule` by which extensions are limited to the profile's longest duration,\n"+
			"where the API leaves it open, as camara-v1 does: total, the whole session;\n"+
			"remaining, what is left of it")
	flags.StringVar(&o.deviations, "deviate", "",
		"ways in which gateways deviate from CAMARA's documents, as a `list` with commas:\n"+
			"epoch-times (camara-v1), no-device, status-202; forgetful (camara-v0): keep no\n"+
			"session and know every id, as Telefónica's developer sandbox does")
	flags.DurationVar(&o.provisioning, "provisioning", 2*time.Second,
		"the `time` that a session stays REQUESTED before it becomes AVAILABLE, such as 500ms")
	flags.DurationVar(&o.latency, "latency", 0,
		"the `time` that every answer of the API takes, such as 50ms")
	flags.BoolVar(&o.mockRules, "mock-rules", false,
		"add the documented rules of Telefónica's sandbox: 409 for a device\n"+
			"identifier that ends in 9; the client mock_sandbox_app_id with the secret\n"+
			"mock_sandbox_app_secret; the token mock_sandbox_access_token; with camara-v0,\n"+
			"the codes of its errors, too")
	flags.StringVar(&o.grant, "grant", grantByDefault,
		"the `name` of the grant that the provider is to use: client_credentials or ciba.\n"+
			"The sandbox takes both, and jwt_bearer")
	flags.StringVar(&o.consent, "consent", string(sandbox.ConsentAgree),
		"how the user of a device `answers` when CIBA asks: agree, deny, never, or\n"+
			"unknown, if the network is to know no such user. With the grant jwt_bearer,\n"+
			"all but agree mean that there is no consent")
	flags.DurationVar(&o.consentAfter, "consent-after", 0,
		"the `time` that the user takes to answer CIBA, such as 15s")
	flags.DurationVar(&o.consentTime, "consent-time", 2*time.Minute,
		"the `time` after which CIBA no longer waits for an answer")
	flags.BoolVar(&o.telefonicaErrors, "telefonica-errors", false,
		"send errors of the authorization server in the form that Telefónica documents,\n"+
			"{code, message}, in place of OAuth's")
	flags.StringVar(&o.publicKey, "client-public-key", "",
		"a `file` with the public key (PEM) of the client, which then has no secret and\n"+
			"proves who it is with its private key (private_key_jwt, QOD_CLIENT_PRIVATE_KEY)")
	flags.StringVar(&o.headers, "headers", "",
		"the headers that every request to the API must carry, as in QOD_HEADERS: a JSON\n"+
			"`object` such as '{\"X-API-Key\": \"my-key\"}'. They are credentials enough")
	flags.BoolVar(&o.remoteWebhooks, "allow-remote-webhooks", false,
		"deliver status changes to notification URLs on any host, not only on this\n"+
			"machine: anybody who can use the sandbox can then make it send requests")
	flags.BoolVar(&o.quiet, "quiet", false,
		"do not log requests to standard error")
}

func (o *options) config(p *program) (sandbox.Config, error) {
	if o.provisioning < 0 || o.latency < 0 {
		return sandbox.Config{}, errors.New("-provisioning and -latency cannot be negative")
	}
	if !slices.Contains(sandbox.APIs(), sandbox.API(o.api)) {
		return sandbox.Config{}, fmt.Errorf("unknown API %q; -api can be %s", o.api, apis())
	}
	if o.extend != "total" && o.extend != "remaining" {
		return sandbox.Config{}, fmt.Errorf("unknown rule %q; -extend can be total or remaining", o.extend)
	}
	answer := sandbox.ConsentAnswer(o.consent)
	switch {
	case !slices.Contains(sandbox.ConsentAnswers(), answer):
		return sandbox.Config{}, fmt.Errorf("unknown answer %q; -consent can be agree, deny, never and unknown", o.consent)
	case o.grant != grantByDefault && o.grant != "ciba":
		return sandbox.Config{}, fmt.Errorf("unknown grant %q; -grant can be client_credentials or ciba", o.grant)
	case o.consentAfter < 0:
		return sandbox.Config{}, errors.New("-consent-after cannot be negative")
	case o.consentTime < time.Second:
		return sandbox.Config{}, errors.New("-consent-time must be at least 1s")
	}
	c := sandbox.Config{
		Consent: func(sandbox.Device) sandbox.Consent {
			return sandbox.Consent{Answer: answer, After: o.consentAfter}
		},
		ConsentTime:      o.consentTime,
		TelefonicaErrors: o.telefonicaErrors,

		ExtendRemaining: o.extend == "remaining",

		API:          sandbox.API(o.api),
		Clock:        new(sandbox.OffsetClock),
		Provisioning: o.provisioning,
		Latency:      o.latency,
		MockRules:    o.mockRules,
		Control:      true,
	}
	for _, deviation := range strings.FieldsFunc(o.deviations, func(r rune) bool { return r == ',' }) {
		switch deviation {
		case "epoch-times":
			c.EpochTimes = true
		case "no-device":
			c.OmitDevice = true
		case "status-202":
			c.CreateStatus = http.StatusAccepted
		case "forgetful":
			if c.API != sandbox.CAMARAV0 {
				return sandbox.Config{}, fmt.Errorf("-deviate forgetful needs -api %s", sandbox.CAMARAV0)
			}
			c.Forgetful = true
		default:
			return sandbox.Config{}, fmt.Errorf("unknown deviation %q; -deviate can be epoch-times, no-device, status-202 and forgetful", deviation)
		}
	}
	if o.publicKey != "" {
		key, err := readPublicKey(o.publicKey)
		if err != nil {
			return sandbox.Config{}, fmt.Errorf("-client-public-key: %w", err)
		}
		c.Clients = []sandbox.ClientCredentials{{ID: sandbox.DefaultClient.ID, Keys: []jose.JSONWebKey{{Key: key}}}}
	}
	if o.headers != "" {
		if err := json.Unmarshal([]byte(o.headers), &c.RequiredHeaders); err != nil || len(c.RequiredHeaders) == 0 {
			return sandbox.Config{}, fmt.Errorf(`-headers is no JSON object of strings, such as {"X-API-Key": "my-key"}: %s`, o.headers)
		}
		c.TrustHeaders = true
	}
	if o.remoteWebhooks {
		c.Webhooks = http.DefaultTransport
	}
	if !o.quiet {
		c.Log = newRequestLog(p.err)
	}
	return c, nil
}

// readPublicKey reads a public key in PEM.
func readPublicKey(file string) (any, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(content)
	if block == nil || block.Type != "PUBLIC KEY" {
		return nil, fmt.Errorf("%s has no PUBLIC KEY in PEM, such as openssl pkey -in key.pem -pubout makes", file)
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return key, nil
}

// environment is what the provider needs to use the sandbox. A private key is for the caller to
// supply.
func (o *options) environment(s *sandbox.Server) []string {
	variables := []string{
		"QOD_API=" + string(s.API()),
		"QOD_API_PATH=" + s.APIPath(),
		"QOD_ENDPOINT=" + s.Endpoint(),
	}
	switch client := "QOD_CLIENT_ID=" + sandbox.DefaultClient.ID; {
	case o.publicKey != "":
		variables = append(variables, client)
	case o.headers == "":
		variables = append(variables, client, "QOD_CLIENT_SECRET="+sandbox.DefaultClient.Secret)
	}
	if o.headers != "" {
		variables = append(variables, "QOD_HEADERS="+o.headers)
	}
	if o.grant != grantByDefault {
		variables = append(variables, "QOD_GRANT="+o.grant)
	}
	return variables
}

// apis lists the values of -api.
func apis() string {
	var names []string
	for _, name := range sandbox.APIs() {
		names = append(names, string(name))
	}
	return strings.Join(names, ", ")
}
