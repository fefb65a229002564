// What only sockets show: credentials go only to the endpoint, TLS failures are neither ignored nor
// retried, connections are kept, and no answer takes all the memory.

//go:debug x509usefallbackroots=1

package qod_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/test/bufconn"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// A process can have only one of each: the authorities that it trusts and its proxy. Hosts that end
// in "proxied" are reached through the proxy; loopback addresses never are.
var (
	trusted  = newAuthority("trusted")
	theProxy = &proxy{}
)

func TestMain(m *testing.M) {
	roots := x509.NewCertPool()
	roots.AddCert(trusted.certificate)
	x509.SetFallbackRoots(roots)
	stop := theProxy.start()
	for _, name := range []string{"NO_PROXY", "no_proxy", "https_proxy", "http_proxy", "HTTP_PROXY"} {
		_ = os.Unsetenv(name)
	}
	_ = os.Setenv("HTTPS_PROXY", fmt.Sprintf("http://%s:%s@%s", proxyUser, proxyPassword, theProxy.address))
	code := m.Run()
	stop()
	os.Exit(code)
}

// authority signs certificates.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(name string) *authority {
	a := &authority{}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: qodtest.BubbleStart.Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	a.key = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	der := must(x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key))
	a.certificate = must(x509.ParseCertificate(der))
	return a
}

// sign makes a server certificate for the hosts, valid between two times.
func (a *authority) sign(from, until time.Time, hosts ...string) tls.Certificate {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "server"}, NotBefore: from, NotAfter: until,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	der := must(x509.CreateCertificate(rand.Reader, template, a.certificate, &key.PublicKey, a.key))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// countingServer serves a sandbox and counts its connections.
type countingServer struct {
	*httptest.Server
	network     *sandbox.Sandbox
	connections atomic.Int64
}

func newTLSServer(t *testing.T, config *tls.Config) *countingServer {
	t.Helper()
	s := unstartedServer(t, nil)
	s.TLS = config
	s.StartTLS()
	return s
}

// inServerBubble runs f in a bubble with a server and a client of it, by HTTP/2 over TLS or by
// HTTP/1.1 without.
func inServerBubble(t *testing.T, http2 bool, change func(*qod.Config), f func(t *testing.T, server *countingServer, n *qodtest.Network)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		listener := listenInMemory()
		server := unstartedServer(t, listener)
		if server.EnableHTTP2 = http2; http2 {
			server.TLS = trustedTLS()
			server.StartTLS()
		} else {
			server.Start()
		}
		scheme, _, _ := strings.Cut(server.URL, ":")
		f(t, server, clientOver(t, listener, scheme, change))
	})
}

// listenInMemory listens for connections that have no sockets, so that a bubble knows who waits.
// Unlike those of net.Pipe they have buffers: both ends of an HTTP/2 connection may write before
// they read.
func listenInMemory() *bufconn.Listener { return bufconn.Listen(1 << 16) }

// clientOver is a client with the transport that it has in earnest, over connections in memory.
func clientOver(t *testing.T, listener *bufconn.Listener, scheme string, change func(*qod.Config)) *qodtest.Network {
	t.Helper()
	return clientOf(t, scheme+"://127.0.0.1/v1", func(c *qod.Config) {
		change(c)
		c.Transport = qod.TransportOver(c.RequestTimeout, listener.DialContext)
	})
}

// unstartedServer has a socket of its own if there is no listener.
func unstartedServer(t *testing.T, listener net.Listener) *countingServer {
	t.Helper()
	s := &countingServer{network: sandbox.New(sandbox.Config{})}
	s.network.AcceptToken("ready", sandbox.DefaultClient.ID)
	s.Server = httptest.NewUnstartedServer(s.network.Handler())
	if listener != nil {
		_ = s.Listener.Close()
		s.Listener = listener
	}
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that are to fail
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.connections.Add(1)
		}
	}
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.network.Close()
		s.Close()
	})
	return s
}

func (s *countingServer) address() string { return s.Listener.Addr().String() }

func clientOf(t *testing.T, endpoint string, change func(*qod.Config)) *qodtest.Network {
	t.Helper()
	n := &qodtest.Network{T: t}
	n.Connect(qodtest.Config(endpoint), change)
	return n
}

func staticToken(c *qod.Config) { c.AccessToken = "ready" }

// forbiddenHost is a host that must never get a request.
func forbiddenHost(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		t.Errorf("it is sent %s %s, Authorization %q, body %q", r.Method, r.URL, r.Header.Get("Authorization"), body)
		w.WriteHeader(http.StatusForbidden) // ends the operation; what looked like an answer would be looked for
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	for _, status := range []int{301, 302, 303, 307, 308} {
		for op, verb := range operations {
			if op == qod.OperationCreate && status == http.StatusSeeOther {
				continue // like 302, which takes its time to be looked for
			}
			t.Run(fmt.Sprintf("%s %d", op, status), func(t *testing.T) {
				t.Parallel()
				elsewhere := forbiddenHost(t)
				n := qodtest.OnSockets(t, qodtest.Options{Client: func(c *qod.Config) { c.MaxRetries = 0 }})
				s := n.SeedSession(sandbox.Session{})
				n.InjectFault(sandboxOperation(op), 1, sandbox.Redirect(status, elsewhere+"/v1/qod/sessions"))
				err := verb(t.Context(), n, s.ID)
				e := qodtest.ErrorAs[*qod.Error](t, err)
				qodtest.Equal(t, "status", e.Status, status)
				if !strings.Contains(err.Error(), "redirected to "+elsewhere+",") {
					t.Errorf("it does not say where to: %v", err)
				}
				qodtest.Equal(t, "live", len(n.Ledger()), 1)
			})
		}
		for _, op := range []sandbox.Operation{sandbox.OpToken, sandbox.OpDiscovery} {
			t.Run(fmt.Sprintf("%s %d", op, status), func(t *testing.T) {
				t.Parallel()
				elsewhere := forbiddenHost(t)
				n := qodtest.OnSockets(t, qodtest.Options{})
				n.InjectFault(op, -1, sandbox.Redirect(status, elsewhere+"/oauth/token"))
				_, err := n.List(t.Context(), qod.Filter{})
				qodtest.Equal(t, "status", qodtest.ErrorAs[*qod.TokenError](t, err).Status, status)
				qodtest.Equal(t, "requests", n.Count(op), 1)
			})
		}
	}
}

func TestTrust(t *testing.T) {
	t.Parallel()
	now := time.Now()
	good := trusted.sign(now.Add(-time.Hour), now.Add(time.Hour), "127.0.0.1")
	tests := map[string]struct {
		tls  *tls.Config
		says string // empty: it works
	}{
		"good":    {tls: &tls.Config{Certificates: []tls.Certificate{good}}},
		"TLS 1.2": {tls: &tls.Config{Certificates: []tls.Certificate{good}, MaxVersion: tls.VersionTLS12}}, //nolint:gosec // it must do

		"an unknown authority": {
			tls:  &tls.Config{Certificates: []tls.Certificate{newAuthority("unknown").sign(now.Add(-time.Hour), now.Add(time.Hour), "127.0.0.1")}},
			says: "unknown authority",
		},
		"expired": {
			tls:  &tls.Config{Certificates: []tls.Certificate{trusted.sign(now.Add(-time.Hour), now.Add(-time.Minute), "127.0.0.1")}},
			says: "expired",
		},
		"not valid yet": {
			tls:  &tls.Config{Certificates: []tls.Certificate{trusted.sign(now.Add(30*time.Minute), now.Add(time.Hour), "127.0.0.1")}},
			says: "not yet valid",
		},
		"another host": {
			tls:  &tls.Config{Certificates: []tls.Certificate{trusted.sign(now.Add(-time.Hour), now.Add(time.Hour), "other.example", "127.0.0.2")}},
			says: "127.0.0.1",
		},
		"TLS 1.0": {tls: &tls.Config{Certificates: []tls.Certificate{good}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10}, says: "protocol version"}, //nolint:gosec // it must be refused
		"TLS 1.1": {tls: &tls.Config{Certificates: []tls.Certificate{good}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, says: "protocol version"}, //nolint:gosec // it must be refused
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newTLSServer(t, test.tls)
			n := clientOf(t, server.URL+"/v1", staticToken)
			s, err := n.Create(t.Context(), qodtest.Spec())
			if test.says == "" {
				if err != nil || s.ID == "" {
					t.Errorf("%q, %v", s.ID, err)
				}
				return
			}
			if qodtest.IsError[*qod.UnresolvedError](err) || qodtest.ErrorAs[*qod.Error](t, err).Status != 0 || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v does not say %q", err, test.says)
			}
			qodtest.Equal(t, "on the network", len(server.network.Ledger()), 0)
			// The snapshot and the POST: neither is retried.
			qodtest.Equal(t, "connections", server.connections.Load(), 2)
		})
		if test.says != "" {
			t.Run(name+", for the token", func(t *testing.T) {
				t.Parallel()
				server := newTLSServer(t, test.tls)
				n := clientOf(t, server.URL+"/v1", func(c *qod.Config) { c.TokenURL = server.URL + "/oauth/token" })
				_, err := n.List(t.Context(), qod.Filter{})
				if e := qodtest.ErrorAs[*qod.TokenError](t, err); !strings.Contains(e.Error(), test.says) {
					t.Errorf("%v does not say %q", err, test.says)
				}
				qodtest.Equal(t, "connections", server.connections.Load(), 1)
			})
			t.Run(name+", for discovery", func(t *testing.T) {
				t.Parallel()
				server := newTLSServer(t, test.tls)
				n := clientOf(t, server.URL+"/v1", nil)
				_, err := n.List(t.Context(), qod.Filter{})
				qodtest.Equal(t, "discovery", qodtest.ErrorAs[*qod.TokenError](t, err).Discovery, true)
				qodtest.Equal(t, "connections", server.connections.Load(), 1)
			})
		}
	}
}

func TestPlainHTTPWhereTLSIsWanted(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(server.Close)
	n := clientOf(t, strings.Replace(server.URL, "http:", "https:", 1)+"/v1", func(c *qod.Config) { staticToken(c); c.MaxRetries = 0 })
	_, err := n.Read(t.Context(), qod.Ref{ID: qodtest.SessionID})
	if err == nil || qod.IsGone(err) {
		t.Errorf("error: %v", err)
	}
	qodtest.Equal(t, "requests", asked.Load(), 0)
}

func TestHTTP2(t *testing.T) {
	t.Parallel()
	inServerBubble(t, true, staticToken, func(t *testing.T, server *countingServer, n *qodtest.Network) {
		protocols := map[string]int{}
		var mu sync.Mutex
		server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			protocols[r.Proto]++
			mu.Unlock()
			server.network.Handler().ServeHTTP(w, r)
		})
		// A stream that is cut is a lost answer, and nothing below the client repeats the POST.
		server.network.Fail(sandbox.Fault{Operation: sandbox.OpCreate, Effect: sandbox.DropAfterCommit()})
		s, err := n.Create(t.Context(), qodtest.Spec())
		wantOneSession(t, server.network, s, err)
		qodtest.Equal(t, "POSTs", server.network.Count(sandbox.OpCreate), 1)
		qodtest.Equal(t, "connections", server.connections.Load(), 1)
		mu.Lock()
		defer mu.Unlock()
		if len(protocols) != 1 || protocols["HTTP/2.0"] == 0 {
			t.Errorf("protocols: %v", protocols)
		}
	})
}

func TestConnectionRefused(t *testing.T) {
	t.Parallel()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := listener.Addr().String()
	_ = listener.Close()
	n := clientOf(t, "http://"+nobody+"/v1", func(c *qod.Config) { staticToken(c); c.MaxRetries = 0 })
	_, err = n.Create(t.Context(), qodtest.Spec())
	if qodtest.IsError[*qod.UnresolvedError](err) || qodtest.ErrorAs[*qod.Error](t, err).Status != 0 {
		t.Errorf("%v", err)
	}
}

// Connections are kept for Terraform's parallelism: no more are opened than there are requests at a
// time.
func TestConnectionsAreReused(t *testing.T) {
	t.Parallel()
	const parallel, rounds = 50, 10
	n := qodtest.OnSockets(t, qodtest.Options{Sandbox: sandbox.Config{Latency: 2 * time.Millisecond}})
	for range rounds {
		for _, err := range concurrently(parallel, func() error { return list(t, n) }) {
			if err != nil {
				t.Error(err)
			}
		}
	}
	remotes := map[string]bool{}
	for _, r := range n.Requests(sandbox.OpRead) {
		remotes[r.Remote] = true
	}
	qodtest.Equal(t, "requests", n.Count(sandbox.OpRead), parallel*rounds)
	if len(remotes) > parallel {
		t.Errorf("%d connections for %d requests", len(remotes), parallel*rounds)
	}
}

// net/http does not repeat a POST on a connection that was used before, either.
func TestKeptConnectionIsCut(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		effect sandbox.Effect
		posts  int
	}{
		"after the commit":  {sandbox.DropAfterCommit(), 1},
		"reset":             {sandbox.Reset(), 2},
		"within the answer": {sandbox.Truncate(20), 1},
		"behind the id":     {sandbox.Truncate(60), 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := qodtest.OnSockets(t, qodtest.Options{})
			mustList(t, n)
			n.InjectFault(sandbox.OpCreate, 1, test.effect)
			s, err := n.Create(t.Context(), qodtest.Spec())
			if live := n.Ledger(); err != nil || len(live) != 1 || live[0].ID != s.ID {
				t.Errorf("%q, %v; on the network %v", s.ID, err, qodtest.IDs(live))
			}
			posts := n.Requests(sandbox.OpCreate)
			qodtest.Equal(t, "POSTs", len(posts), test.posts)
			qodtest.Equal(t, "on a kept connection", posts[0].Remote, n.Requests(sandbox.OpRead)[0].Remote)
		})
	}
}

// After a server has closed an idle connection, another one is used.
func TestIdleConnectionIsClosed(t *testing.T) {
	t.Parallel()
	server := sandbox.Start(t, sandbox.Config{})
	n := &qodtest.Network{Sandbox: server.Sandbox, T: t}
	n.Connect(qodtest.Config(server.Endpoint()), nil)
	for range 2 {
		mustList(t, n)
		server.CloseIdle()
		s, err := n.Create(t.Context(), qodtest.Spec())
		if err != nil || len(n.Ledger()) != 1 {
			t.Fatalf("%v; on the network %v", err, qodtest.IDs(n.Ledger()))
		}
		server.CloseIdle()
		if err := n.Delete(t.Context(), qod.Ref{ID: s.ID}); err != nil {
			t.Fatal(err)
		}
	}
}

// No answer takes more memory than its operation allows, or more time than a request.
func TestAnswersAreBounded(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		effect sandbox.Effect
		says   string
	}{
		"endless":        {sandbox.Endless(), "larger than"},
		"a bomb":         {sandbox.GzipBomb(), "larger than"},
		"cut":            {sandbox.Truncate(1), "did not arrive whole"},
		"reset":          {sandbox.Reset(), "reset"},
		"half, then not": {sandbox.HeadThenHang(), "did not arrive whole"},
		"not":            {sandbox.HangBeforeCommit(), "deadline"},
	} {
		for _, op := range []qod.Operation{qod.OperationRead, qod.OperationList} {
			if name == "endless" && op == qod.OperationList {
				continue // 32 MiB take their time, once is enough
			}
			t.Run(name+", "+string(op), func(t *testing.T) {
				t.Parallel()
				// Unpacking 32 MiB takes a busy machine its time, and is no reason to give up.
				n := qodtest.OnSockets(t, qodtest.Options{Client: func(c *qod.Config) { c.MaxRetries, c.RequestTimeout = 0, 10*time.Minute }})
				s := n.SeedSession(sandbox.Session{})
				mustList(t, n)
				if name == "half, then not" || name == "not" {
					n = impatient(t, n)
				}
				n.InjectFault(sandboxOperation(op), -1, test.effect)
				err := operations[op](t.Context(), n, s.ID)
				if e := qodtest.ErrorAs[*qod.Error](t, err); !strings.Contains(e.Error(), test.says) || qod.IsGone(err) {
					t.Errorf("%v does not say %q", err, test.says)
				}
			})
		}
	}
}

// impatient is another client of the same network, which waits two seconds for an answer.
func impatient(t *testing.T, n *qodtest.Network) *qodtest.Network {
	t.Helper()
	other := &qodtest.Network{Sandbox: n.Sandbox, T: t}
	n.AcceptToken("ready", sandbox.DefaultClient.ID)
	other.Connect(qodtest.Config(n.Endpoint()), func(c *qod.Config) {
		staticToken(c)
		c.MaxRetries, c.RequestTimeout = 0, 2*time.Second
	})
	return other
}

// A server that does not speak HTTP is an error, and its bytes are not printed as they came.
func TestNoHTTP(t *testing.T) {
	t.Parallel()
	for name, says := range map[string]string{
		"SSH": "SSH-2.0-OpenSSH_9.9\r\n", "escapes": "\x1b[2J\x1b[31mHTTP\r\n\r\n", "a header that is none": "HTTP/1.1 200 OK\r\n\x00: \x1b\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = listener.Close() })
			go func() {
				for {
					connection, err := listener.Accept()
					if err != nil {
						return
					}
					go func() {
						defer connection.Close()
						_, _ = http.ReadRequest(bufio.NewReader(connection))
						_, _ = io.WriteString(connection, says)
					}()
				}
			}()
			n := clientOf(t, "http://"+listener.Addr().String()+"/v1", func(c *qod.Config) { staticToken(c); c.MaxRetries = 0 })
			_, err = n.Read(t.Context(), qod.Ref{ID: qodtest.SessionID})
			if text := qodtest.ErrorAs[*qod.Error](t, err).Error(); strings.ContainsAny(text, "\x1b\x00\r\n") {
				t.Errorf("%q", text)
			}
		})
	}
}

func TestCheckURL(t *testing.T) {
	t.Parallel()
	for raw, says := range map[string]string{
		"https://opengateway.telefonica.com/v1":        "",
		"https://opengateway.telefonica.com":           "",
		"https://opengateway.telefonica.com:8443/a/b/": "",
		"HTTPS://opengateway.telefonica.com/v1":        "",
		"http://localhost:8080/v1":                     "",
		"http://LOCALHOST/v1":                          "",
		"http://127.0.0.1/v1":                          "",
		"http://127.8.9.1:80/v1":                       "",
		"http://[::1]:8080/v1":                         "",
		"https://[2001:db8::1]/v1":                     "",
		"https://opengateway.telefonica.com:99999/v1":  "port",
		"https://opengateway.telefonica.com:0/v1":      "port",
		"":                                     "absolute URL",
		"/v1":                                  "absolute URL",
		"opengateway.telefonica.com/v1":        "absolute URL",
		"https:///v1":                          "absolute URL",
		"https://:443/v1":                      "absolute URL",
		"https:opengateway":                    "absolute URL",
		"//opengateway.telefonica.com":         "absolute URL",
		"http://opengateway.telefonica.com/v1": "unencrypted",
		"http://localhost.evil.example/v1":     "unencrypted",
		"http://127.0.0.1.nip.io/v1":           "unencrypted",
		"http://0.0.0.0/v1":                    "unencrypted",
		"http://[::ffff:10.0.0.1]/v1":          "unencrypted",
		"ftp://opengateway.telefonica.com":     "scheme ftp",
		"ws://localhost":                       "scheme ws",
		"https://user:hunter2@opengateway.telefonica.com/": "user name",
		"https://user@opengateway.telefonica.com/":         "user name",
		"http://user@127.0.0.1/":                           "user name",
		"https://opengateway.telefonica.com/v1?key=1":      "query",
		"https://opengateway.telefonica.com/v1?":           "query",
		"https://opengateway.telefonica.com/v1#a":          "fragment",
		"https://opengateway.telefonica.com/v1#":           "fragment",
		"https://opengateway.telefonica.com/v1\n":          "control character",
		" https://opengateway.telefonica.com/v1":           "space",
		"https://opengateway.telefonica.com/\x7f":          "control character",
		"https://[::1/v1":                                  "not a URL",
		"https://%zz/":                                     "not a URL",
	} {
		t.Run(raw, func(t *testing.T) {
			t.Parallel()
			got := qod.CheckURL(raw)
			if (got == "") != (says == "") || !strings.Contains(got, says) {
				t.Errorf("%q, want %q", got, says)
			}
			if strings.Contains(got, "hunter2") {
				t.Errorf("%q repeats credentials", got)
			}
		})
	}
}
