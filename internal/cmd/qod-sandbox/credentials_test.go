// The ways in which a client proves who it is that the guide on credentials shows can be tried.

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// keyPair is a private key in PEM, and the file with its public key.
func keyPair(t *testing.T) (private, public string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	shown, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	public = filepath.Join(t.TempDir(), "public.pem")
	if err := os.WriteFile(public, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: shown}), 0o600); err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})), public
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	private, public := keyPair(t)
	other, _ := keyPair(t)
	headers := []string{"-headers", `{"X-API-Key": "it's mine"}`}
	withKey := func(text string) func(*qod.Config) {
		key, problem := qod.ParsePrivateKey(text)
		if problem != "" {
			t.Fatal(problem)
		}
		return func(c *qod.Config) { c.ClientID, c.PrivateKey = sandbox.DefaultClient.ID, key }
	}
	withHeaders := func(value string) func(*qod.Config) {
		return func(c *qod.Config) { c.Headers = map[string]string{"X-API-Key": value} }
	}
	withSecret := func(c *qod.Config) {
		c.ClientID, c.ClientSecret = sandbox.DefaultClient.ID, sandbox.DefaultClient.Secret
	}
	for name, test := range map[string]struct {
		flags   []string
		client  []func(*qod.Config)
		refused bool
		env     []string // variables beside those of the API
	}{
		"a key":                  {flags: []string{"-client-public-key", public}, client: []func(*qod.Config){withKey(private)}, env: []string{"QOD_CLIENT_ID=sandbox-client"}},
		"another key":            {flags: []string{"-client-public-key", public}, client: []func(*qod.Config){withKey(other)}, refused: true, env: []string{"QOD_CLIENT_ID=sandbox-client"}},
		"a secret, beside a key": {flags: []string{"-client-public-key", public}, client: []func(*qod.Config){withSecret}, refused: true, env: []string{"QOD_CLIENT_ID=sandbox-client"}},
		"headers":                {flags: headers, client: []func(*qod.Config){withHeaders("it's mine")}, env: []string{`QOD_HEADERS='{"X-API-Key": "it'\''s mine"}'`}},
		"a header's other value": {flags: headers, client: []func(*qod.Config){withHeaders("mine")}, refused: true, env: []string{`QOD_HEADERS='{"X-API-Key": "it'\''s mine"}'`}},
		"headers and a secret":   {flags: headers, client: []func(*qod.Config){withHeaders("it's mine"), withSecret}, env: []string{`QOD_HEADERS='{"X-API-Key": "it'\''s mine"}'`}},
		"a secret alone":         {flags: headers, client: []func(*qod.Config){withSecret}, refused: true, env: []string{`QOD_HEADERS='{"X-API-Key": "it'\''s mine"}'`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var o options
			flags := flag.NewFlagSet("", flag.ContinueOnError)
			o.define(flags)
			if err := flags.Parse(test.flags); err != nil {
				t.Fatal(err)
			}
			config, err := o.config(&program{})
			if err != nil {
				t.Fatal(err)
			}
			config.Log = nil
			server := sandbox.Start(t, config)
			settings := qod.Config{Endpoint: server.Endpoint(), RequestTimeout: 10 * time.Second}
			for _, with := range test.client {
				with(&settings)
			}
			client, err := qod.New(settings)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := client.List(t.Context(), qod.Filter{}); (err != nil) != test.refused {
				t.Errorf("listing: %v", err)
			}
			var env []string
			for _, variable := range o.environment(server) {
				if !strings.HasPrefix(variable, "QOD_API") && !strings.HasPrefix(variable, "QOD_ENDPOINT=") {
					env = append(env, assignment(variable))
				}
			}
			if !slices.Equal(env, test.env) {
				t.Errorf("the environment has %q, want %q", env, test.env)
			}
		})
	}
}

// The private key is the caller's, so it reaches the command.
func TestCredentials_keyReachesTheCommand(t *testing.T) {
	t.Parallel()
	_, public := keyPair(t)
	got := execute([]string{"QOD_CLIENT_PRIVATE_KEY=kept", "QOD_CLIENT_SECRET=real"}, "", []string{"-client-public-key", public}, "environment")
	if !strings.Contains(got.out, "QOD_CLIENT_PRIVATE_KEY=kept") || strings.Contains(got.out, "QOD_CLIENT_SECRET") {
		t.Errorf("%+v", got)
	}
}

func TestCredentials_misused(t *testing.T) {
	t.Parallel()
	private, _ := keyPair(t)
	secret := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(secret, []byte(private), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		args []string
		says string
	}{
		"no such file":   {[]string{"-client-public-key", "nowhere.pem"}, "nowhere.pem"},
		"a private key":  {[]string{"-client-public-key", secret}, "no PUBLIC KEY in PEM"},
		"no JSON":        {[]string{"-headers", "X-API-Key: my-key"}, "no JSON object of strings"},
		"no headers":     {[]string{"-headers", "{}"}, "no JSON object of strings"},
		"not of strings": {[]string{"-headers", `{"X-API-Key": 1}`}, "no JSON object of strings"},
	} {
		if got := execute(nil, "", test.args, "environment"); got.code != exitUsage || !strings.Contains(got.err, test.says) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
