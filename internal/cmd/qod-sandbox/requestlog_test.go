package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

func TestLogLines(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		request sandbox.Request
		want    string
	}{
		"a session": {
			sandbox.Request{Operation: sandbox.OpRead, Method: "GET", Path: "/v1/qod/sessions/5a5b2af9-4a64-4c3b-9142-e5f5f47cacfc", Status: 200},
			"GET /v1/qod/sessions/5a5b2af9-4a64-4c3b-9142-e5f5f47cacfc 200",
		},
		"no answer": {sandbox.Request{Operation: sandbox.OpList, Method: "GET", Path: "/v1/qod/sessions"}, "GET /v1/qod/sessions no answer"},
		"a phone number as id": {
			sandbox.Request{Operation: sandbox.OpRead, Method: "GET", Path: "/v1/qod/sessions/+34600123456", Status: 400},
			"GET /v1/qod/sessions/+…56 400",
		},
		"control characters": {
			sandbox.Request{Operation: sandbox.OpOther, Method: "GET", Path: "/\x1b[31m\nforged", Status: 404}, `GET "/\x1b[31m\nforged" 404`,
		},
		"several identifiers": {
			sandbox.Request{Operation: sandbox.OpCreate, Method: "POST", Path: "/v1/qod/sessions", Status: 201,
				Device: sandbox.Device{
					NetworkAccessIdentifier: "123@x\x1b[",
					IPv4Address:             &sandbox.IPv4Address{PublicAddress: "203.0.113.77", PublicPort: new(5060)},
				}},
			`POST /v1/qod/sessions 201 networkAccessIdentifier …\x1b[, ipv4Address …77`,
		},
		"no JSON": {sandbox.Request{Operation: sandbox.OpCreate, Method: "POST", Path: "/v1/qod/sessions", Status: 400, Body: []byte("+34600123456")}, "POST /v1/qod/sessions 400"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			newRequestLog(&out)(test.request)
			line := out.String()
			if _, got, _ := strings.Cut(line, "qod-sandbox: "); got != test.want+"\n" {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
