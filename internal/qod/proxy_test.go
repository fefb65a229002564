// Requests go through the proxy of the environment, and its credentials are in no error and no log.
package qod_test

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

const proxyUser, proxyPassword = "proxy-user", "proxy-pass-word"

// proxy is an HTTP proxy that supports CONNECT and knows where its hosts are.
type proxy struct {
	address string
	hosts   sync.Map // host:port -> address
	seen    sync.Map // host:port -> *atomic.Int64
}

func TestProxy(t *testing.T) {
	t.Parallel()
	now := time.Now()
	const host = "gateway.proxied"
	certificate := trusted.sign(now.Add(-time.Hour), now.Add(time.Hour), host)

	t.Run("is used for all", func(t *testing.T) {
		t.Parallel()
		server := newTLSServer(t, &tls.Config{Certificates: []tls.Certificate{certificate}})
		theProxy.hosts.Store(host+":443", server.address())
		before := theProxy.tunnels(host + ":443")
		n := clientOf(t, "https://"+host+"/v1", nil)
		s, err := n.Create(t.Context(), qodtest.Spec())
		if err != nil || len(server.network.Ledger()) != 1 || server.network.Ledger()[0].ID != s.ID {
			t.Fatalf("%q, %v", s.ID, err)
		}
		qodtest.Equal(t, "discoveries", server.network.Count(sandbox.OpDiscovery), 1)
		qodtest.Equal(t, "tokens", server.network.Count(sandbox.OpToken), 1)
		for _, r := range server.network.Requests() {
			if r.Header.Get("Proxy-Authorization") != "" {
				t.Error("the gateway is told the proxy's password")
			}
		}
		qodtest.Equal(t, "tunnels", theProxy.tunnels(host+":443")-before, server.connections.Load())
	})
	for name, test := range map[string]struct {
		host, address, says string
	}{
		"refuses":          {"forbidden.proxied", "", "Proxy Authentication Required"},
		"reaches nothing":  {"nowhere.proxied", "127.0.0.1:1", "Bad Gateway"},
		"knows no address": {"unknown.proxied", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.says != "" {
				theProxy.hosts.Store(test.host+":443", test.address)
			}
			before := theProxy.tunnels(test.host + ":443")
			n := clientOf(t, "https://"+test.host+"/v1", func(c *qod.Config) { staticToken(c); c.MaxRetries = 0 })
			_, err := n.Create(t.Context(), qodtest.Spec())
			// Nothing was sent, for certain: no session may exist.
			if qodtest.IsError[*qod.UnresolvedError](err) || qodtest.ErrorAs[*qod.Error](t, err).Status != 0 || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v", err)
			}
			if strings.Contains(err.Error(), proxyPassword) || strings.Contains(err.Error(), proxyUser) {
				t.Errorf("the proxy's password is in %q", err)
			}
			qodtest.Equal(t, "tunnels asked for", theProxy.tunnels(test.host+":443")-before, 2) // the snapshot and the POST
		})
	}
}

func (p *proxy) start() (stop func()) {
	listener := must(new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0"))
	p.address = listener.Addr().String()
	server := &http.Server{Handler: p, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }()
	return func() { _ = server.Close() }
}

func (p *proxy) tunnels(host string) int64 {
	if count, ok := p.seen.Load(host); ok {
		if count, ok := count.(*atomic.Int64); ok {
			return count.Load()
		}
	}
	return 0
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	seen, _ := p.seen.LoadOrStore(r.Host, new(atomic.Int64))
	if count, ok := seen.(*atomic.Int64); ok {
		count.Add(1)
	}
	host, _ := p.hosts.Load(r.Host)
	address, known := host.(string)
	want := "Basic " + base64.StdEncoding.EncodeToString([]byte(proxyUser+":"+proxyPassword))
	switch {
	case r.Method != http.MethodConnect || !known:
		w.WriteHeader(http.StatusBadGateway)
		return
	case address == "" || r.Header.Get("Proxy-Authorization") != want:
		w.WriteHeader(http.StatusProxyAuthRequired)
		return
	}
	backend, err := new(net.Dialer).DialContext(r.Context(), "tcp", address)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer backend.Close()
	client, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer client.Close()
	_, _ = io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n")
	go func() {
		_, _ = io.Copy(backend, buffered)
		if half, ok := backend.(*net.TCPConn); ok {
			_ = half.CloseWrite()
		}
	}()
	_, _ = io.Copy(client, backend)
}
