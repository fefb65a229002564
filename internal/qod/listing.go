package qod

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// listing is the result of one list.
type listing struct {
	sessions []Session
	index    map[string]int // where in sessions, by id
	doubt    error          // see snapshot
}

var (
	errIncompleteList    = errors.New("the list of sessions is incomplete")
	errUnreadableEntries = errors.New("the list of sessions has entries whose id cannot be read")
)

// maxPages bounds how many pages of one list are followed.
const maxPages = 1000

// listOnce requests one list, with all the pages that its Link headers name (RFC 8288). The API
// document has no pages, but gateways add them, and without the other pages every session on them
// would look as if it had ended.
func (c *Client) listOnce(ctx context.Context, d Device) (listing, error) {
	r := c.dialect.list(d, c.bound())
	first, seen := r.path, map[string]bool{}
	var whole listing
	for {
		seen[r.path] = true
		page, a, err := c.listPage(ctx, r, d)
		if err != nil {
			return listing{}, err
		}
		whole.add(page)
		if a.cached {
			whole.doubt = ErrCachedList
		}
		next := nextPage(a.header)
		if next == "" {
			return whole.checkComplete(a, len(seen) > 1, c.Limits().longestList), nil
		}
		if r.path = nextPath(c.config.Endpoint+c.config.APIPath+first, first, next); r.path == "" || seen[r.path] || len(seen) == maxPages {
			whole.doubt = firstError(whole.doubt, fmt.Errorf("%w: it names a next page that cannot be followed", errIncompleteList))
			return whole, nil
		}
	}
}

// add adds a page. As sessions begin and end while pages are requested, others move from one page
// to the next: an id that is shown twice is one session, and the last entry counts.
func (l *listing) add(page []Session) {
	if l.index == nil {
		l.index = make(map[string]int, len(page))
	}
	for _, s := range page {
		if at, seen := l.index[s.ID]; seen && s.ID != "" {
			l.sessions[at] = s
			continue
		}
		l.index[s.ID] = len(l.sessions)
		l.sessions = append(l.sessions, s)
	}
}

func (c *Client) listPage(ctx context.Context, r request, d Device) ([]Session, answer, error) {
	a, err := c.get(ctx, r, d, 1)
	if err != nil || a.status == http.StatusNoContent {
		return nil, a, err
	}
	sessions, err := c.dialect.sessions(a.body)
	if err == nil && isHTML(a) {
		err = errors.New("the answer calls itself a web page")
	}
	if err != nil {
		return nil, a, unreadable(r, a, err)
	}
	for i := range sessions {
		if sessions[i].Device.IsZero() {
			sessions[i].Device = d // the list is of its sessions, so it need not say so
		}
	}
	return sessions, a, nil
}

// checkComplete doubts a list whose last answer shows that there is more: a 206 (RFC 9110 §15.3.7),
// or a total that is larger than the number of sessions. With several pages, the 206 is about one
// page. It also doubts a list with unreadable entries, each of which may be the session that is
// looked for, and one that is as long as the API's lists get.
func (l listing) checkComplete(a answer, followed bool, longest int) listing {
	total := max(parseCount(a.header.Get("X-Total-Count")), parseCount(totalOf(a.header.Get("Content-Range"))))
	switch {
	case l.doubt != nil:
	case total > len(l.sessions):
		l.doubt = fmt.Errorf("%w: it shows %d of %d", errIncompleteList, len(l.sessions), total)
	case a.status == http.StatusPartialContent && !followed && total == 0:
		l.doubt = fmt.Errorf("%w: the answer was 206 Partial Content", errIncompleteList)
	case longest > 0 && len(l.sessions) >= longest:
		l.doubt = fmt.Errorf("%w: it shows %d, and the API shows no more than that", errIncompleteList, len(l.sessions))
	case slices.ContainsFunc(l.sessions, func(s Session) bool { return s.ID == "" }):
		l.doubt = errUnreadableEntries
	}
	return l
}

// totalOf is the total of a Content-Range such as "items 0-24/319" (RFC 9110 §14.4).
func totalOf(contentRange string) string {
	_, total, _ := strings.Cut(contentRange, "/")
	return total
}

func parseCount(s string) int {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil || n < 0 {
		return 0
	}
	return n
}

var (
	links    = regexp.MustCompile(`<([^>]*)>([^<]*)`)
	relation = regexp.MustCompile(`(?i)\brel\s*=\s*"?([^";,]*)`)
)

// nextPage is the target of the Link header with the relation next, as written; empty for none.
func nextPage(h http.Header) string {
	for _, link := range links.FindAllStringSubmatch(strings.Join(h.Values("Link"), ", "), -1) {
		for _, rel := range relation.FindAllStringSubmatch(link[2], -1) {
			if slices.Contains(strings.Fields(strings.ToLower(rel[1])), "next") {
				return link[1]
			}
		}
	}
	return ""
}

// nextPath is the path and query of a next page below the endpoint; empty if it leads anywhere else
// than to the list itself, since the access token would go there too.
func nextPath(list, path, next string) string {
	base, err := url.Parse(list)
	if err != nil {
		return ""
	}
	target, err := base.Parse(next)
	if err != nil || target.Scheme != base.Scheme || target.Host != base.Host || target.Path != base.Path || target.RawQuery == "" {
		return ""
	}
	return path + "?" + target.RawQuery
}
