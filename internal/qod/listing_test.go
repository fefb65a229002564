// A list is complete or says that it is not. Pages are followed within the same list and nowhere
// else, since the access token goes with them, and an incomplete list never counts as complete.
package qod_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

func TestListPages(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ sessions, size, requests int }{
		{0, 10, 1}, {1, 10, 1}, {10, 10, 1}, {11, 10, 2}, {100, 10, 10}, {7, 1, 7},
	} {
		t.Run(fmt.Sprintf("%d by %d", test.sessions, test.size), func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{Sandbox: sandbox.Config{PageSize: test.size, Latency: time.Millisecond}}, func(t *testing.T, n *qodtest.Network) {
				ids := n.SeedFleet(test.sessions)
				slices.Sort(ids)
				found, err := n.List(t.Context(), qod.Filter{})
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, s := range found {
					got = append(got, s.ID)
				}
				if slices.Sort(got); !slices.Equal(got, ids) {
					t.Errorf("%d sessions of %d", len(got), len(ids))
				}
				qodtest.Equal(t, "requests", n.Count(sandbox.OpList), test.requests)
				// Reads of a fleet from lists see them all too.
				if test.sessions > 0 && test.sessions <= 100 {
					n.T = t
					n.ReadAll(ids)
					if count := n.Count(sandbox.OpRead); count > 4 {
						t.Errorf("%d gets", count)
					}
				}
			})
		})
	}
}

// A thousand pages are followed, but not an endless number.
func TestListOfManyPages(t *testing.T) {
	t.Parallel()
	for pages, part := range map[int]bool{1000: false, 1001: true} {
		t.Run(fmt.Sprint(pages), func(t *testing.T) {
			t.Parallel()
			requested := 0
			numbered := func(_ *qodtest.Network, r *http.Request, next http.RoundTripper) (*http.Response, error) {
				if !qodtest.IsList(r) {
					return next.RoundTrip(r)
				}
				requested++
				response := qodtest.Response(r, http.StatusOK, qodtest.JSON, fmt.Sprintf(`[{"sessionId":"session-%d"}]`, requested))
				if requested < pages {
					response.Header.Set("Link", fmt.Sprintf(`<?after=%d>; rel="next"`, requested))
				}
				return response, nil
			}
			qodtest.InBubble(t, qodtest.Options{Intercept: numbered}, func(t *testing.T, n *qodtest.Network) {
				found, err := n.List(t.Context(), qod.Filter{})
				qodtest.Equal(t, "a part", qodtest.IsError[*qod.IncompleteListError](err), part)
				qodtest.Equal(t, "sessions", len(found), 1000)
				qodtest.Equal(t, "requests", requested, 1000)
			})
		})
	}
}

// listPage is the answer to one list request; %s in its Link is the URL of the list.
type listPage struct {
	status int // 0: 200
	header []string
	body   string
}

// servePages answers lists with pages, by query, and fails the test if a request goes anywhere
// else.
func servePages(t *testing.T, pages map[string]listPage) qodtest.Interceptor {
	return func(_ *qodtest.Network, r *http.Request, next http.RoundTripper) (*http.Response, error) {
		if r.URL.Host != "gateway.example" || r.URL.Scheme != "https" {
			t.Errorf("a request to %s, with the token: %v", r.URL.Host, r.Header.Get("Authorization") != "")
			return nil, errors.New("no such host")
		}
		if !strings.Contains(r.URL.Path, "/qod") {
			return next.RoundTrip(r)
		}
		page, known := pages[r.URL.RawQuery]
		if !known || r.URL.Path != "/v1/qod/sessions" {
			t.Errorf("a request for %s", r.URL)
			return nil, errors.New("no such page")
		}
		if page.status == 0 {
			page.status = http.StatusOK
		}
		response := qodtest.Response(r, page.status, qodtest.JSON, page.body)
		for pair := range slices.Chunk(page.header, 2) {
			response.Header.Add(pair[0], pair[1])
		}
		return response, nil
	}
}

func TestListIsWholeOrSaysSo(t *testing.T) {
	t.Parallel()
	const (
		one = `[{"sessionId":"aaaaaaaa-0000-4000-8000-000000000000"}]`
		two = `[{"sessionId":"bbbbbbbb-0000-4000-8000-000000000000"}]`
	)
	then := func(link string) map[string]listPage { // a second page behind a link
		return map[string]listPage{"": {header: []string{"Link", link}, body: one}, "page=2": {body: two}}
	}
	only := func(status int, body string, header ...string) map[string]listPage {
		return map[string]listPage{"": {status: status, header: header, body: body}}
	}
	tests := map[string]struct {
		pages    map[string]listPage
		sessions int
		part     bool
		status   int // of the error, if it is no list at all
	}{
		"one page": {pages: only(200, one), sessions: 1},

		"the next page by its query":       {pages: then(`<?page=2>; rel="next"`), sessions: 2},
		"by its path":                      {pages: then(`</v1/qod/sessions?page=2>; rel="next"`), sessions: 2},
		"by a path from here":              {pages: then(`<sessions?page=2>; rel="next"`), sessions: 2},
		"by its URL":                       {pages: then(`<https://gateway.example/v1/qod/sessions?page=2>; rel="next"`), sessions: 2},
		"without quotes":                   {pages: then(`<?page=2>; rel=next`), sessions: 2},
		"in capitals":                      {pages: then(`<?page=2>; REL="Next"`), sessions: 2},
		"with blanks":                      {pages: then(`<?page=2> ; title="b" ; rel = "next"`), sessions: 2},
		"as one relation of two":           {pages: then(`<?page=2>; rel="last next"`), sessions: 2},
		"behind others":                    {pages: then(`<?page=1>; rel="first", <?page=2>; rel="next", <?page=9>; rel="last"`), sessions: 2},
		"in a header of its own":           {pages: map[string]listPage{"": {header: []string{"Link", `<?page=1>; rel="first"`, "Link", `<?page=2>; rel="next"`}, body: one}, "page=2": {body: two}}, sessions: 2},
		"links that lead to no next page":  {pages: only(200, one, "Link", `<?page=1>; rel="prev", <?x>; rel="nextcloud"; title="next"`), sessions: 1},
		"a Link that is none":              {pages: only(200, one, "Link", `next`), sessions: 1},
		"three pages":                      {pages: map[string]listPage{"": {header: []string{"Link", `<?p=b>; rel=next`}, body: one}, "p=b": {header: []string{"Link", `<?p=c>; rel=next`}, body: `[]`}, "p=c": {body: two}}, sessions: 2},
		"an empty page before the last":    {pages: map[string]listPage{"": {header: []string{"Link", `<?page=2>; rel=next`}, body: `[]`}, "page=2": {body: two}}, sessions: 1},
		"a session on two pages":           {pages: map[string]listPage{"": {header: []string{"Link", `<?page=2>; rel=next`}, body: one}, "page=2": {body: one}}, sessions: 1},
		"pages that are 206 each":          {pages: map[string]listPage{"": {status: 206, header: []string{"Link", `<?page=2>; rel=next`}, body: one}, "page=2": {status: 206, body: two}}, sessions: 2},
		"pages that are as many as in all": {pages: map[string]listPage{"": {header: []string{"Link", `<?page=2>; rel=next`, "X-Total-Count", "2"}, body: one}, "page=2": {header: []string{"X-Total-Count", "2"}, body: two}}, sessions: 2},
		"pages that are less than in all":  {pages: map[string]listPage{"": {header: []string{"Link", `<?page=2>; rel=next`, "X-Total-Count", "3"}, body: one}, "page=2": {header: []string{"X-Total-Count", "3"}, body: two}}, sessions: 2, part: true},
		"an old page":                      {pages: map[string]listPage{"": {header: []string{"Link", `<?page=2>; rel=next`}, body: one}, "page=2": {header: []string{"Age", "120"}, body: two}}, sessions: 2, part: true},

		"the next page at another host":     {pages: then(`<https://elsewhere.example/v1/qod/sessions?page=2>; rel="next"`), sessions: 1, part: true},
		"at another host, without a scheme": {pages: then(`<//elsewhere.example/v1/qod/sessions?page=2>; rel="next"`), sessions: 1, part: true},
		"at another port":                   {pages: then(`<https://gateway.example:8443/v1/qod/sessions?page=2>; rel="next"`), sessions: 1, part: true},
		"without encryption":                {pages: then(`<http://gateway.example/v1/qod/sessions?page=2>; rel="next"`), sessions: 1, part: true},
		"at another path":                   {pages: then(`</v1/admin?page=2>; rel="next"`), sessions: 1, part: true},
		"below the list":                    {pages: then(`<sessions/next?page=2>; rel="next"`), sessions: 1, part: true},
		"above the list":                    {pages: then(`<../sessions?page=2>; rel="next"`), sessions: 1, part: true},
		"no URL":                            {pages: then(`<https://gate way.example:x/?page=2>; rel="next"`), sessions: 1, part: true},
		"the same page":                     {pages: only(200, one, "Link", `<?>; rel="next"`), sessions: 1, part: true},
		"the very same page":                {pages: only(200, one, "Link", `</v1/qod/sessions>; rel="next"`), sessions: 1, part: true},
		"the first page again":              {pages: map[string]listPage{"": {header: []string{"Link", `<?page=2>; rel=next`}, body: one}, "page=2": {header: []string{"Link", `<?page=2>; rel=next`}, body: two}}, sessions: 2, part: true},
		"round and round":                   {pages: map[string]listPage{"": {header: []string{"Link", `<?p=a>; rel=next`}, body: one}, "p=a": {header: []string{"Link", `<?p=b>; rel=next`}, body: two}, "p=b": {header: []string{"Link", `<?p=a>; rel=next`}, body: `[]`}}, sessions: 2, part: true},

		"206":                       {pages: only(206, one), sessions: 1, part: true},
		"206 that is all":           {pages: only(206, one, "Content-Range", "sessions 0-0/1"), sessions: 1},
		"206 of more":               {pages: only(206, one, "Content-Range", "items 0-0/319"), sessions: 1, part: true},
		"206 of nobody knows":       {pages: only(206, one, "Content-Range", "items 0-0/*"), sessions: 1, part: true},
		"200 with a range of more":  {pages: only(200, one, "Content-Range", "items 0-0/2"), sessions: 1, part: true},
		"a total that is there":     {pages: only(200, one, "X-Total-Count", " 1 "), sessions: 1},
		"a total of more":           {pages: only(200, one, "X-Total-Count", "2"), sessions: 1, part: true},
		"a total of less":           {pages: only(200, one, "X-Total-Count", "0"), sessions: 1},
		"a total that is no number": {pages: only(200, one, "X-Total-Count", "many"), sessions: 1},
		"a negative total":          {pages: only(200, one, "X-Total-Count", "-1"), sessions: 1},
		"nothing of a total":        {pages: only(200, `[]`, "X-Total-Count", "1"), sessions: 0, part: true},
		"out of a cache":            {pages: only(200, one, "Age", "30"), sessions: 1, part: true},

		"204":                          {pages: only(204, ""), sessions: 0},
		"404 in the API's words":       {pages: only(404, `{"status":404,"code":"NOT_FOUND","message":"none"}`), sessions: 0},
		"404 of nobody":                {pages: only(404, ``), status: 404},
		"404 of a gateway":             {pages: only(404, `{"message":"no Route matched with those values"}`), status: 404},
		"403":                          {pages: only(403, `{"code":"PERMISSION_DENIED"}`), status: 403},
		"the next page is refused":     {pages: map[string]listPage{"": {header: []string{"Link", `<?page=2>; rel=next`}, body: one}, "page=2": {status: 400}}, status: 400},
		"the next page is not there":   {pages: map[string]listPage{"": {header: []string{"Link", `<?page=2>; rel=next`}, body: one}, "page=2": {status: 404}}, status: 404},
		"the next page is not a list":  {pages: map[string]listPage{"": {header: []string{"Link", `<?page=2>; rel=next`}, body: one}, "page=2": {body: `{}`}}, status: 200},
		"the next page is down, a 503": {pages: map[string]listPage{"": {header: []string{"Link", `<?page=2>; rel=next`}, body: one}, "page=2": {status: 503}}, status: 503},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{Intercept: servePages(t, test.pages)}, func(t *testing.T, n *qodtest.Network) {
				found, err := n.List(t.Context(), qod.Filter{})
				qodtest.Equal(t, "a part", qodtest.IsError[*qod.IncompleteListError](err), test.part)
				if test.status != 0 {
					qodtest.Equal(t, "status", qodtest.ErrorAs[*qod.Error](t, err).Status, test.status)
				} else if !test.part && err != nil {
					t.Error(err)
				}
				ids := map[string]bool{}
				for _, s := range found {
					ids[s.ID] = true
				}
				qodtest.Equal(t, "sessions", len(ids), test.sessions)
				qodtest.Equal(t, "shown once each", len(found), test.sessions)
				if strings.Contains(name, "same page") {
					qodtest.Equal(t, "requests", len(n.Events()), 1)
				}
			})
		})
	}
}

// Where the next page fails for a moment, the list starts again and is complete.
func TestListOfAPageThatFailsOnce(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{Sandbox: sandbox.Config{PageSize: 2}}, func(t *testing.T, n *qodtest.Network) {
		n.SeedFleet(5)
		n.InjectFaultFromSecond(sandbox.OpList, 1, unavailable)
		found, err := n.List(t.Context(), qod.Filter{})
		if err != nil || len(found) != 5 {
			t.Errorf("%d sessions, %v", len(found), err)
		}
	})
}

// A filter does not hide that the list is incomplete, and what an incomplete list shows is
// believed.
func TestListOfAPartIsFiltered(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		for _, number := range []string{"+34600000002", qodtest.Phone, "+34600000003"} {
			n.Seed(sandbox.Session{Device: sandbox.Device{PhoneNumber: number}})
			time.Sleep(time.Second) // lists are in the order of creation
		}
		n.InjectFault(sandbox.OpList, -1, sandbox.Partial(2))
		found, err := n.List(t.Context(), qod.Filter{Device: qodtest.Spec().Device})
		e := qodtest.ErrorAs[*qod.IncompleteListError](t, err)
		qodtest.Equal(t, "what is missing is said", strings.Contains(e.Error(), "2 of 3"), true)
		qodtest.Equal(t, "sessions", len(found), 1)
	})
}

// What a list cannot prove is read individually: an incomplete or cached list is not believed where
// money is at stake.
func TestReadByListsThatAreParts(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]sandbox.Effect{
		"a part": sandbox.Partial(11), "out of a cache": sandbox.Header("Age", "30"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
				n.T = t
				ids := n.SeedFleet(12)
				n.InjectFault(sandbox.OpList, -1, effect)
				n.ReadAll(ids)
				qodtest.Equal(t, "gets", n.Count(sandbox.OpRead), 12)
			})
		})
	}
}

// Lists, like all other requests, ask caches for fresh answers.
func TestListAsksForNoCache(t *testing.T) {
	t.Parallel()
	qodtest.InBubble(t, qodtest.Options{}, func(t *testing.T, n *qodtest.Network) {
		n.T = t
		staleBy(n, sandbox.CachedUnlessNoCache(), 0)
		n.SeedFleet(1)
		found, err := n.List(t.Context(), qod.Filter{})
		if err != nil || len(found) != 1 {
			t.Errorf("%d sessions, %v", len(found), err)
		}
		for _, r := range n.Requests(sandbox.OpList) {
			qodtest.Equal(t, "Cache-Control", r.Header.Get("Cache-Control"), "no-cache")
		}
	})
}
