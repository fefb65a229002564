// The next step after a failed POST depends on the failure, on whether an earlier POST was lost,
// and on the session in the way. Every row is a promise: a session that may exist is looked for, a
// POST that did nothing is repeated, and one that was refused is not.
package qod

import (
	"errors"
	"net/http"
	"testing"
	"time"
)

func TestCreateNextStep(t *testing.T) {
	t.Parallel()
	answered := func(status int) *Error {
		return &Error{Operation: OperationCreate, Status: status, outcome: outcomeOf(status), class: classifyStatus(OperationCreate, status)}
	}
	asking := func(status int) *Error {
		failure := answered(status)
		failure.RetryAfter = time.Minute
		return failure
	}
	conflict := answered(http.StatusConflict)
	for name, test := range map[string]struct {
		failure *Error
		lost    bool
		facts   conflictFacts
		want    step
	}{
		"refused, 400":  {failure: answered(400), want: giveUp},
		"refused, 401":  {failure: answered(401), want: giveUp},
		"refused, 403":  {failure: answered(403), want: giveUp},
		"redirected":    {failure: answered(307), want: giveUp},
		"no slot":       {failure: &Error{Status: 429, outcome: unsent, Err: errNoTimeForSlot}, want: giveUp},
		"rate-limited":  {failure: answered(429), want: postLater},
		"never sent":    {failure: &Error{outcome: unsent}, want: postAgain},
		"not trusted":   {failure: &Error{outcome: unsent, permanent: true}, want: giveUp},
		"broken TLS":    {failure: &Error{outcome: unknown, permanent: true}, want: findOrPostAgain},
		"no answer":     {failure: &Error{outcome: unknown, Err: errors.New("reset")}, want: findOrPostAgain},
		"302":           {failure: answered(302), want: findOrPostAgain},
		"408":           {failure: answered(408), want: findOrPostAgain},
		"501":           {failure: answered(501), want: findOnly},
		"502":           {failure: answered(502), want: findOrPostAgain},
		"502, asking":   {failure: asking(502), want: findOrPostAgain},
		"503":           {failure: answered(503), want: findOrPostAgain},
		"503, asking":   {failure: asking(503), want: findOrPostLater},
		"unreadable":    {failure: &Error{Status: 201, outcome: unknown}, want: findOnly},
		"unreadable 2":  {failure: &Error{Status: 201, outcome: unknown}, lost: true, want: findOnly},
		"refused later": {failure: answered(400), lost: true, want: giveUp},

		"conflict": {failure: conflict, want: giveUp},
		"with our own session": {
			failure: conflict, lost: true, want: giveUp,
			facts: conflictFacts{own: true, visible: true, deleted: true, mayBeDeletedSoon: true, recent: true},
		},
		"with a session that stays": {
			failure: conflict, lost: true, want: giveUp, facts: conflictFacts{visible: true, deleted: true, recent: true},
		},
		"with one that may be deleted": {failure: conflict, facts: conflictFacts{visible: true, mayBeDeletedSoon: true}, want: awaitConflict},
		"with one that was deleted":    {failure: conflict, facts: conflictFacts{deleted: true}, want: awaitConflict},
		"with nothing to be seen":      {failure: conflict, facts: conflictFacts{mayBeDeletedSoon: true, recent: true}, want: giveUp},
		"with that of a lost POST":     {failure: conflict, lost: true, facts: conflictFacts{recent: true}, want: awaitConflict},
		"with no lost POST any more":   {failure: conflict, lost: true, want: giveUp},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := next(test.failure, test.lost, test.facts); got != test.want {
				t.Errorf("step %d, want %d", got, test.want)
			}
		})
	}
}
