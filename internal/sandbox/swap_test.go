package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

func TestSwapAnswers(t *testing.T) {
	t.Parallel()
	for transport, start := range transports {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			h := start(t, Config{})
			h.Fail(Fault{Operation: OpCreate, Times: 2, Effect: SwapAnswers()})
			numbers := []string{"+34600000001", "+34600000002"}
			got := make(chan [2]string)
			for _, number := range numbers {
				go func() {
					var info sessionInfo
					r, err := h.do(t.Context(), http.MethodPost, pathSessions, createBody(number))
					if err == nil {
						err = json.Unmarshal([]byte(r.body), &info)
					}
					if err != nil || r.status != http.StatusCreated {
						t.Errorf("status %d, %v", r.status, err)
					}
					got <- [2]string{number, info.Device.PhoneNumber}
				}()
			}
			for range numbers {
				if pair := <-got; pair[0] == pair[1] || pair[1] == "" {
					t.Errorf("%s was answered about %q", pair[0], pair[1])
				}
			}
			if live := h.Ledger(); len(live) != 2 {
				t.Errorf("on the network: %v", live)
			}
			h.createSession(createBody("+34600000003")) // both faults are spent
		})
	}
}

func TestSwapAnswersForgetsAClientThatGaveUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, Config{})
		h.Fail(Fault{Operation: OpCreate, Times: 2, Effect: SwapAnswers()})
		for _, number := range []string{"+34600000001", "+34600000002"} {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			_, err := h.do(ctx, http.MethodPost, pathSessions, createBody(number))
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s alone: %v", number, err)
			}
			cancel()
			synctest.Wait()
		}
		if live := h.Ledger(); len(live) != 2 {
			t.Errorf("on the network: %v", live)
		}
	})
}
