package sandbox

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
)

// specsVariable names the folder with API documents as their owners publish them; see CONTRIBUTING.
// With it, every request and every answer in the tests of this package is judged by them as well.
// Without it, the sandbox's own documents judge alone.
const specsVariable = "QOD_SPECS"

// publishedVersions are the versions that must be in the folder, by the API's name.
var publishedVersions = map[string][]string{
	"quality-on-demand": {"0.11.1", "1.0.0", "1.1.0", "1.2.0-rc.3"},
	"qos-profiles":      {"1.1.0"},
	"qod":               {"0.10.1", telefonicas},
}

// telefonicas is the version of Telefónica's document of QoD 0.10. Its errors have other codes and
// members than CAMARA's, and its profiles are names alone: each document judges its own.
const telefonicas = "0.10"

// judges reports whether the document is about the answers that a sandbox gives to an operation.
func (d document) judges(s *Sandbox, op Operation, status int) bool {
	differs := d.published && d.api == "qod" && (status >= http.StatusBadRequest || op == OpProfiles)
	return !differs || s.config.MockRules == (d.version == telefonicas)
}

// laterCodes are codes that the document of a version lacks because a later one has added them. The
// documents call their lists of codes incomplete.
var laterCodes = map[string][]string{
	"1.0.0": {"QUALITY_ON_DEMAND.QOS_PROFILE_NOT_APPLICABLE", "PRIVATE_KEY_JWT_NOT_CONFIGURED"},
	"1.1.0": {"PRIVATE_KEY_JWT_NOT_CONFIGURED"},
}

// document is an API document that judges.
type document struct {
	*openapi3.T
	api, version string // api is empty for the default one
	published    bool
}

func newDocument(d *openapi3.T, published bool) document {
	folder := path.Base(path.Dir(d.Servers[0].URL)) // the version is the last part of the path
	return document{T: d, api: strings.Trim(folder, "/"), version: d.Info.Version, published: published}
}

func (d document) String() string {
	if d.published {
		return d.api + " " + d.version
	}
	return "the sandbox's " + d.api
}

// publishedDocuments are the documents in the folder, if one is named.
var publishedDocuments = sync.OnceValues(func() ([]document, error) {
	folder := os.Getenv(specsVariable)
	if folder == "" {
		return nil, nil
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		return nil, err
	}
	var found []document
	for _, file := range files {
		loaded, err := openapi3.NewLoader().LoadFromFile(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if d := newDocument(loaded, true); slices.Contains(publishedVersions[d.api], d.version) {
			found = append(found, d)
		}
	}
	for api, versions := range publishedVersions {
		for _, version := range versions {
			if !slices.ContainsFunc(found, func(d document) bool { return d.api == api && d.version == version }) {
				return nil, fmt.Errorf("%s has no %s %s", folder, api, version)
			}
		}
	}
	return found, nil
})

// documentsFor are the documents of a route's API: the sandbox's own one first.
func documentsFor(t testing.TB, own *openapi3.T) []document {
	t.Helper()
	all := []document{newDocument(own, false)}
	published, err := publishedDocuments()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range published {
		if d.api == all[0].api {
			all = append(all, d)
		}
	}
	return all
}

// Exchanged is a request to a sandbox and the answer to it.
type Exchanged struct {
	Request  *http.Request
	Sent     []byte // its body
	Status   int
	Header   http.Header
	Received []byte
}

// CheckExchange fails the test unless all documents of the API allow the answer and the request. A
// request that the sandbox has refused may break them, unless the client is one that knows them. It
// returns the operation with what became of it, such as "create 409 CONFLICT"; nothing for what is
// not of the API.
func (s *Sandbox) CheckExchange(t testing.TB, e Exchanged, knows bool) string {
	t.Helper()
	e.Request.Body = io.NopCloser(bytes.NewReader(e.Sent))
	c := s.route(e.Request)
	if !c.ofAPI() {
		return ""
	}
	c.body = e.Sent
	for _, d := range documentsFor(t, c.route.document) {
		if e.Status < 300 || knows {
			if err := d.checkRequest(c); err != nil {
				t.Errorf("%s: the request %s %s %s breaks the document: %v", d, e.Request.Method, e.Request.URL.Path, e.Sent, err)
			}
		}
		if !d.judges(s, c.op, e.Status) {
			continue
		}
		if err := d.checkAnswer(c, e); err != nil {
			t.Errorf("%s: the answer to %s %s breaks the document: %v\n%d %s", d, e.Request.Method, e.Request.URL.Path, err, e.Status, e.Received)
		}
	}
	return strings.TrimSpace(fmt.Sprintf("%s %d %s", c.op, e.Status, codeOf(e.Received)))
}

// inputFor is a call as the document sees it.
func (d document) inputFor(c call) *openapi3filter.RequestValidationInput {
	r := *c.route
	r.document = d.T
	c.route = &r
	return validationInput(c)
}

func (d document) checkRequest(c call) error {
	input := d.inputFor(c)
	if err := openapi3filter.ValidateRequest(context.Background(), input); err != nil {
		return err
	}
	body := input.Route.Operation.RequestBody
	if body == nil {
		if len(c.body) > 0 {
			return errors.New("it has a body")
		}
		return nil
	}
	return d.checkValue(body.Value.Content.Get("application/json").Schema, c.body)
}

func (d document) checkAnswer(c call, e Exchanged) error {
	if code := codeOf(e.Received); slices.Contains(laterCodes[d.version], code) && d.published {
		return nil
	}
	options := validationOptions()
	options.IncludeResponseStatus = d.api != "" // the default API's document leaves out most of them
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: d.inputFor(c), Status: e.Status, Header: e.Header, Options: options,
	}
	input.SetBodyBytes(e.Received)
	if err := openapi3filter.ValidateResponse(context.Background(), input); err != nil {
		return err
	}
	response := input.RequestValidationInput.Route.Operation.Responses.Status(e.Status)
	if response == nil || response.Value.Content.Get("application/json") == nil {
		return nil
	}
	if got := e.Header.Get("Content-Type"); got != "application/json" {
		return fmt.Errorf("its content type is %q", got)
	}
	return d.checkValue(response.Value.Content.Get("application/json").Schema, e.Received)
}

func codeOf(body []byte) string {
	var e errorResponse
	if json.Unmarshal(body, &e) != nil {
		return "" // a list, or nothing
	}
	return e.Code
}

// checkEvent judges what is sent to a session's sink, or to its webhook.
func (d document) checkEvent(contentType string, event []byte) error {
	if d.version == "0.11.1" {
		return nil // the event has another type there
	}
	for _, callback := range d.Paths.Value("/sessions").Post.Callbacks["notifications"].Value.Map() {
		media := callback.Post.RequestBody.Value.Content[contentType]
		if media == nil {
			return fmt.Errorf("its content type is %q", contentType)
		}
		return d.checkValue(media.Schema, event)
	}
	return errors.New("there are no notifications")
}

// checkValue judges by what kin-openapi leaves out: discriminators without oneOf, and members that
// the document does not have, which 1.2 wants refused wherever they are.
func (d document) checkValue(schema *openapi3.SchemaRef, text []byte) error {
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		return err
	}
	return d.checkMember("", []*openapi3.SchemaRef{schema}, value)
}

// checkMember judges a value that all of the schemas are about.
func (d document) checkMember(at string, about []*openapi3.SchemaRef, value any) error {
	switch value := value.(type) {
	case []any:
		var items []*openapi3.SchemaRef
		for _, s := range d.composed(about, value) {
			if s.Items != nil {
				items = append(items, s.Items)
			}
		}
		for _, item := range value {
			if err := d.checkMember(at+"[]", items, item); err != nil {
				return err
			}
		}
	case map[string]any:
		schemas := d.composed(about, value)
		for _, s := range schemas {
			if err := s.VisitJSON(value, validationOptions().SchemaValidationOptions...); err != nil {
				return fmt.Errorf("%s: %w", at, err)
			}
		}
		for name, member := range value {
			var properties []*openapi3.SchemaRef
			for _, s := range schemas {
				if property := s.Properties[name]; property != nil {
					properties = append(properties, property)
				}
			}
			if len(properties) == 0 {
				return fmt.Errorf("there is no %s.%s", at, name)
			}
			if err := d.checkMember(at+"."+name, properties, member); err != nil {
				return err
			}
		}
	}
	return nil
}

// composed are the schemas and all that they are composed of: what all of a value is, which of
// several it is, and what its discriminator names.
func (d document) composed(about []*openapi3.SchemaRef, value any) []*openapi3.Schema {
	var found []*openapi3.Schema
	members, _ := value.(map[string]any)
	var add func(*openapi3.SchemaRef)
	add = func(s *openapi3.SchemaRef) {
		if slices.Contains(found, s.Value) {
			return
		}
		found = append(found, s.Value)
		for _, part := range s.Value.AllOf {
			add(part)
		}
		for _, one := range slices.Concat(s.Value.OneOf, s.Value.AnyOf) {
			if one.Value.VisitJSON(value, validationOptions().SchemaValidationOptions...) == nil {
				add(one)
			}
		}
		if s.Value.Discriminator != nil {
			name, _ := members[s.Value.Discriminator.PropertyName].(string)
			if named, ok := s.Value.Discriminator.Mapping[name]; ok {
				add(d.Components.Schemas[path.Base(named.Ref)])
			}
		}
	}
	for _, s := range about {
		add(s)
	}
	return found
}

// Each document finds what it forbids in a request or an answer.
func TestDocumentsCanForbid(t *testing.T) {
	t.Parallel()
	h := newCAMARAHarness(t, Config{})
	const credential = `"credentialType":"ACCESSTOKEN","accessToken":"t","accessTokenType":"bearer"`
	for name, test := range map[string]struct {
		changes string // of a valid request; empty: the answer is judged
		status  int    // of the answer; 0: that of a session
		info    string
		except  string // the version that allows it
	}{
		"an unknown member":            {changes: `{"webhook":{}}`},
		"one of the device":            {changes: `{"device":{"phoneNumber":"` + camaraLine + `","imei":"1"}}`},
		"one of the credential":        {changes: `{"sinkCredential":{` + credential + `,"accessTokenExpiresUtc":"2026-11-30T12:00:00Z","scope":"x"}}`},
		"a credential without its end": {changes: `{"sinkCredential":{` + credential + `}}`},
		"an empty device":              {changes: `{"device":{}}`},
		"a national number":            {changes: `{"device":{"phoneNumber":"600000010"}}`},
		"no server":                    {changes: `{"applicationServer":null}`},
		"a member of the answer":       {info: `"messages":[]`},
		"epoch seconds":                {info: `"startedAt":1639479600`},
		"another code":                 {info: `"status":409,"code":"SESSION_EXISTS","message":"No"`, status: http.StatusConflict, except: "0.11.1"},
		"another status in the body":   {info: `"status":400,"code":"CONFLICT","message":"No"`, status: http.StatusConflict, except: "0.11.1"},
		"a status that is not there":   {info: `"status":418,"code":"TEAPOT","message":"No"`, status: http.StatusTeapot},
	} {
		sent := camaraBody(t, cmp.Or(test.changes, "{}"))
		c := h.route(h.request(t.Context(), http.MethodPost, camaraCreate, sent))
		c.body = []byte(sent)
		e := Exchanged{Status: test.status, Header: http.Header{"Content-Type": {"application/json"}}, Received: []byte("{" + test.info + "}")}
		if test.status == 0 {
			shown := camaraV1{h.Sandbox}.newInfo(h.Seed(Session{ApplicationServer: &ApplicationServer{IPv4Address: "198.51.100.7"}}))
			e.Status, e.Received = http.StatusCreated, jsonAnswer(http.StatusCreated, shown).body
			e.Received = fmt.Append(bytes.TrimSuffix(e.Received, []byte("}")), ",", test.info, "}")
		}
		for _, d := range documentsFor(t, c.route.document) {
			err := d.checkAnswer(c, e)
			if test.changes != "" {
				err = d.checkRequest(c)
			}
			if (err == nil) != (d.version == test.except) {
				t.Errorf("%s: %s: %v", name, d, err)
			}
		}
	}
}
