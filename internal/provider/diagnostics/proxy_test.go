// Proves that a proxy is known by what package net/http says of it, which has no type for most of
// it.

package diagnostics

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

func TestProxy(t *testing.T) {
	t.Parallel()
	refusing := func(status int) *httptest.Server {
		return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	}
	gone := refusing(200)
	gone.Close()
	for name, test := range map[string]struct {
		proxy *httptest.Server
		want  string
	}{
		"nobody there":        {gone, "The proxy " + gone.Listener.Addr().String() + " (HTTPS_PROXY) could not be reached on the way to https://gateway.example: "},
		"wants a password":    {refusing(407), "The proxy (HTTPS_PROXY) wants a user name and password before it connects to https://gateway.example (407 Proxy Authentication Required)."},
		"does not allow this": {refusing(403), "The proxy (HTTPS_PROXY) refused to connect to https://gateway.example: 403 Forbidden."},
		"cannot connect":      {refusing(502), "The proxy (HTTPS_PROXY) refused to connect to https://gateway.example: 502 Bad Gateway."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer test.proxy.Close()
			at, err := url.Parse(test.proxy.URL)
			if err != nil {
				t.Fatal(err)
			}
			client, err := qod.New(qod.Config{
				Endpoint: "https://gateway.example/v1", ClientID: "id", ClientSecret: "secret", RequestTimeout: time.Minute, UserAgent: "test",
				Transport: &http.Transport{Proxy: http.ProxyURL(at)},
			})
			if err != nil {
				t.Fatal(err)
			}
			_, err = client.List(t.Context(), qod.Filter{})
			if text := ListFailed(err).Detail(); !strings.Contains(text, test.want) || !strings.Contains(text, "NO_PROXY") || strings.Contains(text, "QOD_ENDPOINT") {
				t.Errorf("got\n%s\nwant\n%s", text, test.want)
			}
		})
	}
}
