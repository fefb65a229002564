// Proves that no secret is in anything the provider or the CLI writes for it, with every log on:
// output, logs, saved plan, state. Whole phone numbers, ids and the network's words are in none of
// the provider's own log lines.

package provider

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"io"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/acctest"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

func TestSecretsStayInside(t *testing.T) {
	const (
		clientSecret = "canary+client/secret=1"
		webhookToken = "canary-webhook-token-2"
		accessToken  = "canary-access-token-3"
		header       = "canary header/4"
		parameter    = "canary&parameter=5"
		phone        = "34600000010"
		otherPhone   = "34600000020"
	)
	config := `
variable "webhook_token" {
  type      = string
  ephemeral = true
}

variable "audience" {
  type      = string
  ephemeral = true
}

provider "qod" {
  token_parameters = { audience = var.audience }
}

resource "qod_session" "camera" {
  device                          = { phone_number = "+34600000010" }
  qos_profile                     = "QOS_L"
  duration                        = 3600
  notification_url                = "http://127.0.0.1:9/qod"
  notification_auth_token         = var.webhook_token
  notification_auth_token_version = 1
}

resource "qod_reservation" "lens" {
  device                          = { phone_number = "+34600000020" }
  qos_profile                     = "QOS_L"
  starts_at                       = "2000-01-01T00:00:00Z"
  ends_at                         = "2999-01-01T00:00:00Z"
  notification_url                = "http://127.0.0.1:9/qod"
  notification_auth_token         = var.webhook_token
  notification_auth_token_version = 1
}

data "qod_sessions" "all" {
  depends_on = [qod_session.camera]
}
`
	client, privateKey := qodtest.KeyClient(t, sandbox.DefaultClient.ID)
	client.Secret = clientSecret
	network := acc.NewNetwork(t, sandbox.Config{Clients: []sandbox.ClientCredentials{client}, RequiredHeaders: map[string]string{"X-Key": header}})
	network.AcceptToken(accessToken, sandbox.DefaultClient.ID)
	// The network repeats what it was sent, also what it should not.
	echo := `{"code":"INVALID_ARGUMENT","message":"token ` + webhookToken + `, secret ` + clientSecret + `, key ` + header + ` of ` + parameter + `, device +` + phone + ` not accepted"}`
	network.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Times: 2, Effect: sandbox.Status(400, echo)})

	c := network.CLI(config, "QOD_CLIENT_SECRET="+clientSecret, "TF_VAR_webhook_token="+webhookToken,
		"TF_VAR_audience="+parameter, `QOD_HEADERS={"X-Key": "`+header+`"}`,
		"TF_LOG=TRACE", "TF_LOG_PATH=trace.log")
	canaries := map[string]string{
		"client secret": clientSecret, "webhook token": webhookToken, "ready access token": accessToken,
		"header": header, "parameter": parameter, "private key": strings.Split(privateKey, "\n")[1][20:],
	}
	var said strings.Builder
	keep := func(d acctest.Output) { said.WriteString(d.Text) }
	if failed := c.Run("apply", "-auto-approve", "-no-color"); failed.Code != 1 || strings.Count(failed.Text, "…10 not accepted") != 2 {
		t.Fatalf("the refused create does not show the API's words with the device masked:\n%s", failed.Text)
	} else {
		keep(failed)
	}
	keep(c.Run("plan", "-out=saved.tfplan", "-no-color"))
	keep(c.Run("show", "-json", "saved.tfplan"))
	keep(c.Run("apply", "-no-color", "saved.tfplan"))
	keep(c.Run("show", "-json"))
	c.ExpectInSync()
	c.Env = append(c.Env, "QOD_CLIENT_SECRET=", "QOD_CLIENT_PRIVATE_KEY="+privateKey)
	network.Fail(sandbox.Fault{Operation: sandbox.OpToken, Times: 1, Effect: sandbox.Status(400, `{"error":"invalid_target","error_description":"audience `+parameter+` is unknown"}`)})
	keep(c.Run("plan", "-no-color"))
	if seen := c.Run("plan", "-out=signed.tfplan", "-no-color"); seen.Code != 0 {
		t.Fatalf("a plan with the key:\n%s", seen.Text)
	} else {
		keep(seen)
	}
	signed := 0
	for _, r := range network.Requests(sandbox.OpToken) {
		form, err := url.ParseQuery(string(r.Body))
		if err != nil || form.Get("audience") != parameter {
			t.Errorf("a token request without the parameter: %v", err)
		}
		if assertion := form.Get("client_assertion"); assertion != "" {
			signed++
			canaries["assertion"] = assertion
		}
	}
	if signed < 2 {
		t.Errorf("%d assertions", signed)
	}
	c.Env = append(c.Env, "QOD_CLIENT_ID=", "QOD_CLIENT_PRIVATE_KEY=", "QOD_ACCESS_TOKEN="+accessToken)
	keep(c.Run("plan", "-no-color"))
	network.RevokeTokens()
	keep(c.Run("plan", "-no-color"))
	if len(network.SessionIDs()) != 2 {
		t.Fatalf("%d sessions on the network, want 2:\n%s", len(network.SessionIDs()), said.String())
	}
	issued := issuedTokens(network)
	if len(issued) < 2 {
		t.Fatalf("the network saw %d access tokens, want those of several runs", len(issued))
	}

	for _, token := range issued {
		canaries["issued access token"] = token
		look(t, canaries, map[string][]byte{"output": []byte(said.String())})
		look(t, canaries, filesIn(t, c.Dir))
	}
	for line := range strings.Lines(string(filesIn(t, c.Dir)["trace.log"])) {
		if !strings.Contains(line, "request to the QoD API") {
			continue
		}
		for _, word := range []string{phone, otherPhone, "not accepted", network.SessionIDs()[0]} {
			if strings.Contains(line, word) {
				t.Errorf("a log line of the provider shows %q:\n%s", word, line)
			}
		}
	}
	if !strings.Contains(string(filesIn(t, c.Dir)["trace.log"]), "request to the QoD API") {
		t.Error("the trace shows no request: nothing was tested")
	}
}

// The webhook's token goes with the POST of an update, too: the configuration has it when the
// window opens, and nothing else does.
func TestReservation_tokenIsSent(t *testing.T) {
	const token = "canary-webhook-token-2"
	network := acc.NewNetworkAtMatch(t, time.Hour, sandbox.Config{})
	config := match(attrs{"notification_url": "http://127.0.0.1:9/qod", "notification_auth_token": token, "notification_auth_token_version": 1})
	c := network.Client().Reservations()
	scheduled := c.Plan(acctest.State{}, config)
	r := createScheduled(network, config)
	c = network.Client().Reservations()
	due := c.Plan(c.Refresh(r).State, config)
	bought := c.Apply(due)
	sent := network.Requests(sandbox.OpCreate)
	if len(sent) != 1 || !strings.Contains(string(sent[0].Body), token) {
		t.Errorf("%d POSTs, without the token", len(sent))
	}
	for what, r := range map[string]acctest.State{"the plan to create": scheduled.Planned, "the state before": r, "the plan to update": due.Planned, "the state after": bought.State} {
		for name, value := range r.Values {
			if strings.Contains(value.String(), token) {
				t.Errorf("the token is in %s of %s", name, what)
			}
		}
		if strings.Contains(string(r.Private), token) || strings.Contains(string(r.Private), base64.StdEncoding.EncodeToString([]byte(token))) {
			t.Errorf("the token is in the private part of %s", what)
		}
	}
}

// issuedTokens are the bearer tokens that the network was sent.
func issuedTokens(network *acctest.Network) []string {
	var tokens []string
	for _, r := range network.Requests(sandbox.OpCreate, sandbox.OpRead, sandbox.OpList) {
		if token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "); token != "" {
			tokens = append(tokens, token)
		}
	}
	return tokens
}

func look(t *testing.T, canaries map[string]string, places map[string][]byte) {
	t.Helper()
	for name, content := range places {
		for what, canary := range canaries {
			for _, spelling := range []string{canary, url.QueryEscape(canary), base64.StdEncoding.EncodeToString([]byte(canary))} {
				if bytes.Contains(content, []byte(spelling)) {
					t.Errorf("the %s is in %s", what, name)
				}
			}
		}
	}
}

// filesIn reads every file below dir, and what is in saved plans, which are zip archives.
func filesIn(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	root := os.DirFS(dir)
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		files[name] = content
		archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
		if err != nil {
			return nil //nolint:nilerr // not an archive
		}
		for _, member := range archive.File {
			r, err := member.Open()
			if err != nil {
				return err
			}
			inner, err := io.ReadAll(r)
			_ = r.Close()
			if err != nil {
				return err
			}
			files[name+"/"+member.Name] = inner
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
