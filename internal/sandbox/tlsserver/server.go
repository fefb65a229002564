// Package tlsserver serves a sandbox over TLS, with HTTP/2 and HTTP/1.1, for tests of failures that
// only occur there: the Stream effects of package sandbox.
package tlsserver

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// Server is a sandbox that listens on a loopback port, for https only.
type Server struct {
	*sandbox.Sandbox
	// CertFile names a file with CertPEM. A process that has it as SSL_CERT_FILE trusts the server.
	CertFile string
	http     *httptest.Server
}

// Start serves a sandbox until the test ends. Clients can choose HTTP/2.
func Start(t testing.TB, c sandbox.Config) *Server {
	t.Helper()
	return start(t, c, "h2", "http/1.1")
}

// StartHTTP1 is Start without HTTP/2.
func StartHTTP1(t testing.TB, c sandbox.Config) *Server {
	t.Helper()
	return start(t, c, "http/1.1")
}

func start(t testing.TB, c sandbox.Config, protocols ...string) *Server {
	t.Helper()
	s := &Server{Sandbox: sandbox.New(c), CertFile: filepath.Join(t.TempDir(), "sandbox.pem")}
	if err := os.WriteFile(s.CertFile, CertPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	s.http = httptest.NewUnstartedServer(s.Handler())
	s.http.TLS = &tls.Config{NextProtos: protocols, MinVersion: tls.VersionTLS12}
	s.http.Config.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){
		"h2": func(_ *http.Server, c *tls.Conn, h http.Handler) { serveHTTP2(c, h) },
	}
	s.http.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// URL returns the origin, https://host:port without a path.
func (s *Server) URL() string { return s.http.URL }

// Endpoint returns the value for the provider's endpoint attribute.
func (s *Server) Endpoint() string { return s.URL() + s.BasePath() }

// TokenURL returns the token endpoint, which discovery names too.
func (s *Server) TokenURL() string { return s.URL() + "/oauth/token" }

// Close closes all connections, stops listening and closes the sandbox.
func (s *Server) Close() {
	s.http.CloseClientConnections() // first: a request may be blocked writing to one
	s.Sandbox.Close()
	s.http.CloseClientConnections()
	s.http.Close()
}

// certificate is self-signed. It is the same for all servers, in all processes of a Go version.
var certificate = sync.OnceValue(func() *x509.Certificate {
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	return s.Certificate()
})

// CertPEM returns the certificate that clients must trust. It needs no server, so that a TestMain
// can set SSL_CERT_FILE, which crypto/x509 reads once per process.
func CertPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate().Raw})
}

// CertPool returns the same certificate for the RootCAs of a tls.Config.
func CertPool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(certificate())
	return pool
}
