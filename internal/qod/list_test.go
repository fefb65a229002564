// A list returns the sessions that match the filter, in a fixed order, and an error where it cannot
// be trusted to be one.
package qod_test

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

func TestList(t *testing.T) {
	t.Parallel()
	const a, b, c = "aaaaaaaa-0000-4000-8000-000000000000", "bbbbbbbb-0000-4000-8000-000000000000", "cccccccc-0000-4000-8000-000000000000"
	item := func(id, more string) string { return `{"sessionId":"` + id + `"` + more + `}` }
	tests := map[string]struct {
		body   string
		filter qod.Filter
		want   []string
		fails  bool
	}{
		"none":                {body: `[]`},
		"null":                {body: `null`, fails: true},
		"an object":           {body: `{}`, fails: true},
		"an object around it": {body: `{"sessions":[` + item(a, "") + `]}`, fails: true},
		"a string":            {body: `"none"`, fails: true},
		"empty":               {body: ``, fails: true},
		"a page":              {body: qodtest.LoginPage, fails: true},
		"cut off":             {body: `[` + item(a, "") + `,`, fails: true},
		"entries that are none": {
			body: `[null, 1, "x", [], {}, {"sessionId":null}, {"sessionId":"../x"}, ` + item(a, "") + `]`, want: []string{a}, fails: true, // each may be a session
		},
		"unknown fields": {body: `[` + item(a, `,"flows":[{"id":1}],"x":null`) + `]`, want: []string{a}},
		"null fields": {
			body: `[` + item(a, `,"device":null,"qosProfile":null,"qosStatus":null,"startedAt":null,"expiresAt":null,"duration":null`) + `]`, want: []string{a},
		},
		"one id twice is one session": {body: `[` + item(a, ``) + `,` + item(b, ``) + `,` + item(a, ``) + `]`, want: []string{a, b}},
		"one id twice, the last word counts": {
			body:   `[` + item(a, `,"qosStatus":"REQUESTED"`) + `,` + item(b, ``) + `,` + item(a, `,"qosStatus":"AVAILABLE"`) + `]`,
			filter: qod.Filter{Status: qod.StatusAvailable}, want: []string{a},
		},
		"in the order they started, unknown last, then by id": {
			body: `[` + item(b, ``) + `,` + item("dddd", `,"startedAt":"2026-01-01T10:00:00Z"`) + `,` + item("eeee", `,"startedAt":"2026-01-01T09:00:00+02:00"`) +
				`,` + item(c, `,"startedAt":1767261600`) + `,` + item(a, ``) + `]`,
			want: []string{"eeee", c, "dddd", a, b},
		},
		"by status":         {body: `[` + item(a, `,"qosStatus":"UNAVAILABLE"`) + `,` + item(b, `,"qosStatus":"AVAILABLE"`) + `]`, filter: qod.Filter{Status: qod.StatusAvailable}, want: []string{b}},
		"by unknown status": {body: `[` + item(a, `,"qosStatus":"PENDING"`) + `,` + item(b, `,"qosStatus":"AVAILABLE"`) + `]`, filter: qod.Filter{Status: "PENDING"}, want: []string{a}},
		"by profile":        {body: `[` + item(a, `,"qosProfile":"QOS_E"`) + `,` + item(b, ``) + `]`, filter: qod.Filter{QoSProfile: "QOS_E"}, want: []string{a}},
		"by device": {
			body:   `[` + item(a, `,"device":{"phoneNumber":"34600000001"}`) + `,` + item(b, `,"device":{"phoneNumber":"+34600000002"}`) + `,` + item(c, ``) + `]`,
			filter: qod.Filter{Device: qod.Device{PhoneNumber: qodtest.Phone}}, want: []string{a},
		},
		"by all": {
			body: `[` + item(a, `,"device":{"phoneNumber":"+34600000001"},"qosProfile":"QOS_E","qosStatus":"AVAILABLE"`) + `,` +
				item(b, `,"device":{"phoneNumber":"+34600000001"},"qosProfile":"QOS_L","qosStatus":"AVAILABLE"`) + `]`,
			filter: qod.Filter{Device: qod.Device{PhoneNumber: qodtest.Phone}, QoSProfile: "QOS_E", Status: qod.StatusAvailable}, want: []string{a},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
				n.InjectFault(sandbox.OpList, -1, sandbox.Answer(http.StatusOK, qodtest.JSON, test.body))
				found, err := n.List(t.Context(), test.filter)
				qodtest.Equal(t, "fails", err != nil, test.fails)
				var got []string
				for _, s := range found {
					got = append(got, s.ID)
				}
				if !slices.Equal(got, test.want) {
					t.Errorf("%v, want %v", got, test.want)
				}
				if test.fails && test.want == nil {
					qodtest.Equal(t, "operation", qodtest.ErrorAs[*qod.Error](t, err).Operation, qod.OperationList)
				} else if test.fails {
					_ = qodtest.ErrorAs[*qod.IncompleteListError](t, err)
				}
			})
		})
	}
}

func TestListOfTenThousand(t *testing.T) {
	t.Parallel()
	const many = 10_000
	qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		for i := range many {
			n.Seed(sandbox.Session{Device: sandbox.Device{PhoneNumber: fmt.Sprintf("+3460%07d", i)}})
		}
		var wg sync.WaitGroup
		for filter, want := range map[qod.Filter]int{
			{}: many, {Device: qod.Device{PhoneNumber: "+34600004711"}}: 1, {QoSProfile: "QOS_L"}: 0,
		} {
			wg.Go(func() {
				found, err := n.List(t.Context(), filter)
				if err != nil || len(found) != want {
					t.Errorf("%d sessions, want %d: %v", len(found), want, err)
				}
			})
		}
		wg.Wait()
		qodtest.Equal(t, "requests", n.Count(sandbox.OpList), 1)
	})
}

// Lists that are requested at the same time are one request, and each shows what was so before it.
func TestListIsShared(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{Sandbox: sandbox.Config{Latency: time.Second}}, func(t *testing.T, n *qodtest.Network) {
		var wg sync.WaitGroup
		ask := func(want int) {
			wg.Go(func() {
				found, err := n.List(t.Context(), qod.Filter{})
				if err != nil || len(found) != want {
					t.Errorf("%d sessions, want %d: %v", len(found), want, err)
				}
			})
		}
		for range 100 {
			ask(0)
		}
		// That list is in flight and will not show this session.
		time.Sleep(500 * time.Millisecond)
		n.SeedSession(sandbox.Session{})
		for range 100 {
			ask(1)
		}
		wg.Wait()
		qodtest.Equal(t, "requests", n.Count(sandbox.OpList), 2)
	})
}

func TestListInterrupted(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		n.InjectFault(sandbox.OpList, -1, sandbox.Delay(20*time.Second))
		var wg sync.WaitGroup
		wg.Go(func() {
			var err error
			spent := qodtest.Elapsed(func() { _, err = n.List(qodtest.CancelAfter(t, 5*time.Second), qod.Filter{}) })
			_ = qodtest.ErrorAs[*qod.InterruptedError](t, err)
			if spent > 6*time.Second {
				t.Errorf("it went on for %v", spent-5*time.Second)
			}
		})
		wg.Go(func() {
			time.Sleep(time.Second)
			if _, err := n.List(t.Context(), qod.Filter{}); err != nil {
				t.Errorf("the one that was not interrupted: %v", err)
			}
		})
		wg.Wait()
	})
}

func TestListSaysHowLongItIsAskedToWait(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		n.InjectFault(sandbox.OpList, -1, sandbox.Status(503, `{"code":"BUSY"}`, "Retry-After", "60"))
		var err error
		spent := qodtest.Elapsed(func() { _, err = n.List(qodtest.WithTimeout(t, 10*time.Second), qod.Filter{}) })
		qodtest.Equal(t, "asked", qodtest.ErrorAs[*qod.Error](t, err).RetryAfter, time.Minute)
		if spent > time.Second {
			t.Errorf("it slept for %v first", spent)
		}
	})
}
