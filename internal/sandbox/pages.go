package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
)

// page answers a list request with the page that its query asks for, by default the first.
func page(all []any, size int, r *http.Request) answer {
	n := 1
	if asked := r.URL.Query().Get("page"); asked != "" {
		var err error
		if n, err = strconv.Atoi(asked); err != nil || n < 1 || n > 1+len(all)/size {
			return newErrorResponse(http.StatusBadRequest, "INVALID_ARGUMENT", "page: no such page")
		}
	}
	start, end := min(len(all), (n-1)*size), min(len(all), n*size)
	a := jsonAnswer(http.StatusOK, all[start:end]).with("X-Total-Count", strconv.Itoa(len(all)))
	if end == len(all) {
		return a
	}
	return a.with("Link", fmt.Sprintf(`<%s%s?page=%d>; rel="next"`, originOf(r), r.URL.Path, n+1))
}

// Partial answers a list request with its first n sessions, as 206 with a Content-Range (RFC 9110
// §14.4) that gives the total. Other answers are not changed.
func Partial(n int) Effect {
	return Effect{func(x *exchange) {
		a := x.commit()
		var all []json.RawMessage
		if json.Unmarshal(a.body, &all) != nil || n >= len(all) {
			x.send(a)
			return
		}
		x.send(jsonAnswer(http.StatusPartialContent, all[:n]).
			with("Content-Range", fmt.Sprintf("sessions 0-%d/%d", n-1, len(all))))
	}}
}

// EmptyListAs answers a list request that finds no sessions with 204 No Content instead of an empty
// array, or with another status and the API's ErrorResponse, such as 404 NOT_FOUND. Other answers
// are not changed.
func EmptyListAs(status int) Effect {
	return Effect{func(x *exchange) {
		a := x.commit()
		if x.op == OpList && a.status == http.StatusOK && string(a.body) == "[]" {
			a = answer{status: http.StatusNoContent}
			if status != http.StatusNoContent {
				a = newErrorResponse(status, "NOT_FOUND", "No sessions")
			}
		}
		x.send(a)
	}}
}
