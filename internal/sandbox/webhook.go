package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/google/uuid"
)

const (
	deliveryTimeout = 5 * time.Second // of one attempt
	deliveryTries   = 3
	deliveryPause   = 200 * time.Millisecond // after the first attempt, then twice as long
)

// Delivery is the result of delivering one status change to a notification URL.
type Delivery struct {
	SessionID  string
	URL        string
	QoSStatus  string
	StatusInfo string // why, when UNAVAILABLE
	Tries      int
	Status     int   // of the last answer; 0 if there was none
	Err        error // nil: it was answered with 2xx
}

// Deliveries returns the webhook deliveries in the order of the status changes. It waits for those
// in flight, which can take about 16 s of real time each.
func (s *Sandbox) Deliveries() []Delivery { return s.webhookSender.deliveries() }

// webhookSender delivers status changes to notification URLs as CloudEvents 1.0 in structured JSON:
// one after the other for a session, in parallel for different sessions.
type webhookSender struct {
	closing context.Context // done when the sandbox closes; no call's context
	client  *http.Client
	encode  func(statusChange) any // as the API defines it

	mu   sync.Mutex
	log  []*delivery
	last map[string]*delivery // by session
}

// delivery is a delivery in flight. Until done is closed, only its own goroutine uses its fields.
type delivery struct {
	Delivery
	event []byte
	token string
	done  chan struct{}
}

// cloudEvent is a CloudEvent 1.0 in structured JSON. Its type, its source and its data depend on
// the API.
type cloudEvent struct {
	ID              string `json:"id"`
	Source          string `json:"source"`
	SpecVersion     string `json:"specversion"`
	Type            string `json:"type"`
	Time            string `json:"time"`
	DataContentType string `json:"datacontenttype"`
	Data            any    `json:"data"`
}

// eventData is the data of CAMARA's events, in all versions.
type eventData struct {
	SessionID  string `json:"sessionId"`
	QoSStatus  string `json:"qosStatus"`
	StatusInfo string `json:"statusInfo,omitempty"`
}

func newCloudEvent(eventType, source string, at time.Time, data any) cloudEvent {
	return cloudEvent{
		ID: uuid.NewString(), Source: source, SpecVersion: "1.0", Type: eventType,
		Time: timestamp(at), DataContentType: "application/json", Data: data,
	}
}

func newWebhookSender(closing context.Context, transport http.RoundTripper, encode func(statusChange) any) *webhookSender {
	if transport == nil {
		transport = loopback()
	}
	return &webhookSender{
		closing: closing,
		encode:  encode,
		client: &http.Client{
			Transport: transport,
			Timeout:   deliveryTimeout,
			// A redirect would send the bearer token to a URL that nobody configured.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		last: map[string]*delivery{},
	}
}

var errNotLoopback = errors.New("the sandbox notifies loopback addresses only")

// loopback returns a transport that reaches only this machine. It resolves no name but localhost,
// because a look-up leaves the machine too, checks the address that it dials, and uses no proxy,
// which would resolve names elsewhere.
func loopback() *http.Transport {
	dialer := &net.Dialer{
		Timeout: deliveryTimeout,
		Control: func(_, address string, _ syscall.RawConn) error {
			if to, err := netip.ParseAddrPort(address); err != nil || !to.Addr().Unmap().IsLoopback() {
				return fmt.Errorf("%w, not %s", errNotLoopback, address)
			}
			return nil
		},
	}
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		host, _, _ := net.SplitHostPort(address)
		if _, err := netip.ParseAddr(host); err != nil && host != "localhost" {
			return nil, fmt.Errorf("%w, not %s", errNotLoopback, address)
		}
		return dialer.DialContext(ctx, network, address)
	}
	return &http.Transport{DialContext: dial, DisableKeepAlives: true}
}

// notify starts the delivery of a status change and returns at once.
func (c *webhookSender) notify(ch statusChange) {
	if c.closing.Err() != nil {
		return
	}
	encoded, err := json.Marshal(c.encode(ch))
	if err != nil {
		panic("sandbox: event cannot be encoded: " + err.Error())
	}
	p := &delivery{
		Delivery: Delivery{SessionID: ch.ID, URL: ch.NotificationURL, QoSStatus: ch.Status, StatusInfo: ch.cause},
		event:    encoded,
		token:    ch.NotificationAuthToken,
		done:     make(chan struct{}),
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.last[ch.ID]
	c.last[ch.ID] = p
	c.log = append(c.log, p)
	go c.deliver(p, before)
}

func (c *webhookSender) deliver(p, before *delivery) {
	defer close(p.done)
	if before != nil {
		<-before.done
	}
	for again := true; again; {
		p.Tries++
		p.Status, p.Err = c.post(p)
		again = p.Err != nil && p.retryable() && p.Tries < deliveryTries &&
			c.pause(deliveryPause*time.Duration(p.Tries))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last[p.SessionID] == p {
		delete(c.last, p.SessionID)
	}
}

// retryable reports whether there was no answer, or one that shows a temporary problem of the
// receiver.
func (p *delivery) retryable() bool {
	if errors.Is(p.Err, errNotLoopback) {
		return false
	}
	return p.Status == 0 || p.Status == http.StatusTooManyRequests || p.Status >= 500
}

func (c *webhookSender) post(p *delivery) (status int, err error) {
	request, err := http.NewRequestWithContext(c.closing, http.MethodPost, p.URL, bytes.NewReader(p.event))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/cloudevents+json")
	if p.token != "" {
		request.Header.Set("Authorization", "Bearer "+p.token)
	}
	response, err := c.client.Do(request)
	if err != nil {
		return 0, err
	}
	_ = response.Body.Close()
	if response.StatusCode/100 != 2 {
		return response.StatusCode, fmt.Errorf("the receiver answered %s", response.Status)
	}
	return response.StatusCode, nil
}

func (c *webhookSender) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.closing.Done():
		return false
	}
}

func (c *webhookSender) deliveries() []Delivery {
	c.mu.Lock()
	log := slices.Clone(c.log)
	c.mu.Unlock()
	var done []Delivery
	for _, p := range log {
		<-p.done
		done = append(done, p.Delivery)
	}
	return done
}

// wait returns when no delivery is in flight. No new ones may start.
func (c *webhookSender) wait() { c.deliveries() }
