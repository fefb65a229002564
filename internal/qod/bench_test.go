// The cost of the client itself: go test -run=- -bench=. -benchmem.
package qod_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// benchmarkClient is a client of a network that takes no time: the sandbox's first answer to each
// request is repeated.
func benchmarkClient(b *testing.B, sessions int) (*qod.Client, []string) {
	b.Helper()
	network := sandbox.New(sandbox.Config{})
	b.Cleanup(network.Close)
	ids := make([]string, 0, sessions)
	for range sessions {
		ids = append(ids, network.Seed(sandbox.Session{}).ID)
	}
	answers := map[string][]byte{}
	config := qodtest.Config(qodtest.Gateway + "/v1")
	config.Transport = qodtest.RoundTripper(func(r *http.Request) (*http.Response, error) {
		if body, known := answers[r.URL.Path]; known {
			return &http.Response{
				StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {qodtest.JSON}},
				Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: r,
			}, nil
		}
		resp, err := network.RoundTripper().RoundTrip(r)
		if err == nil {
			answers[r.URL.Path] = []byte(qodtest.Body(b, resp))
		}
		return resp, err
	})
	client, err := qod.New(config)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := client.Read(b.Context(), qod.Ref{ID: ids[0]}); err != nil {
		b.Fatal(err)
	}
	return client, ids
}

// BenchmarkRead reads one session.
func BenchmarkRead(b *testing.B) {
	client, ids := benchmarkClient(b, 1)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.Read(b.Context(), qod.Ref{ID: ids[0]}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkConfirm reads a fleet from a cached list, by parallel callers.
func BenchmarkConfirm(b *testing.B) {
	client, ids := benchmarkClient(b, 1000)
	for _, id := range ids[:5] { // the fifth is read from a list, as are all others but the first four
		if _, err := client.Read(b.Context(), qod.Ref{ID: id}); err != nil {
			b.Fatal(err)
		}
	}
	ids = ids[4:]
	began := time.Now()
	var next atomic.Int64
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			_, ok := client.ReadCached(context.Background(), qod.Ref{ID: ids[next.Add(1)%int64(len(ids))]})
			if !ok && time.Since(began) < 9*time.Second {
				b.Error("not confirmed")
			}
		}
	})
}
