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
	for wire, world := range wires {
		t.Run(wire, func(t *testing.T) {
			t.Parallel()
			w := world(t, Config{})
			w.Fail(Fault{Operation: OpCreate, Times: 2, Effect: SwapAnswers()})
			numbers := []string{"+34600000001", "+34600000002"}
			got := make(chan [2]string)
			for _, number := range numbers {
				go func() {
					var info sessionInfo
					r, err := w.try(t.Context(), http.MethodPost, pathSessions, phone(number))
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
			if live := w.Ledger(); len(live) != 2 {
				t.Errorf("on the network: %v", live)
			}
			w.reserve(phone("+34600000003")) // both faults are spent
		})
	}
}

func TestSwapAnswersForgetsAClientThatGaveUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := within(t, Config{})
		w.Fail(Fault{Operation: OpCreate, Times: 2, Effect: SwapAnswers()})
		for _, number := range []string{"+34600000001", "+34600000002"} {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			_, err := w.try(ctx, http.MethodPost, pathSessions, phone(number))
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s alone: %v", number, err)
			}
			cancel()
			synctest.Wait()
		}
		if live := w.Ledger(); len(live) != 2 {
			t.Errorf("on the network: %v", live)
		}
	})
}
