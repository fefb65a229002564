package main

// mutant is one line, what stands there instead, and the test that must notice.
type mutant struct {
	promise string
	file    string
	line    string
	instead string
	pkg     string
	test    string
}

const (
	client   = "./internal/qod"
	provider = "./internal/provider"
)

var mutants = []mutant{
	{
		promise: "an interrupt does not cut a POST",
		file:    "internal/qod/reserve.go",
		line:    "context.WithTimeout(context.WithoutCancel(ctx), 2*c.requestTimeout+fetchBudget)",
		instead: "context.WithTimeout(ctx, 2*c.requestTimeout+fetchBudget)",
		pkg:     client, test: "TestReserveWhenItIsInterrupted",
	},
	{
		promise: "SIGTERM does not end the provider",
		file:    "internal/provider/signals.go",
		line:    "signal.Ignore(syscall.SIGTERM, syscall.SIGPIPE)",
		instead: "signal.Ignore(syscall.SIGPIPE)",
		pkg:     provider, test: "TestSignals",
	},
	{
		promise: "the provider ends with Terraform",
		file:    "internal/provider/signals.go",
		line:    "os.Getppid() != parent",
		instead: "os.Getppid() < 0 && parent > 0",
		pkg:     provider, test: "TestCrashes",
	},
	{
		promise: "a panic becomes an error",
		file:    "internal/qod/errors.go",
		line:    "if fault := recover(); fault != nil {\n\t\t*err",
		instead: "if fault := any(nil); fault != nil {\n\t\t*err",
		pkg:     client, test: "TestReservePanics",
	},
	{
		promise: "a panic behind the POST loses no session",
		file:    "internal/qod/reserve.go",
		line:    "if fault := recover(); fault != nil && made.ID == \"\" {",
		instead: "if fault := any(nil); fault != nil && made.ID == \"\" {",
		pkg:     client, test: "TestReservePanics",
	},
	{
		promise: "redirects are not followed",
		file:    "internal/qod/transport.go",
		line:    "return http.ErrUseLastResponse",
		instead: "_ = http.ErrUseLastResponse; return nil",
		pkg:     client, test: "TestRedirectsAreNotFollowed",
	},
	{
		promise: "a lost answer is looked for",
		file:    "internal/qod/reserve.go",
		line:    "found, err := cr.look(ctx, settlingAfter(failure))",
		instead: "var found Session; var err error; _ = settlingAfter",
		pkg:     client, test: "TestReserveWhenTheAnswerIsLost",
	},
	{
		promise: "only what is new is taken over",
		file:    "internal/qod/reserve.go",
		line:    "(cr.before != nil && cr.before.has(s.ID))",
		instead: "(cr.before != nil && cr.before.has(\"\"))",
		pkg:     client, test: "TestReserveAdoptsOnlyWhatIsOurs",
	},
	{
		promise: "the id is recorded before the wait",
		file:    "internal/provider/session_resource.go",
		line:    "	model.settle()\n	resp.Diagnostics.Append(r.save(ctx, model, &resp.State, resp.Identity)...)\n	memory := sessionMemory{",
		instead: "	model.settle()\n	memory := sessionMemory{",
		pkg:     provider, test: "TestSession_createEnds|TestSession_createEndsWith",
	},
	{
		promise: "a refused token is replaced once",
		file:    "internal/qod/call.go",
		line:    "if !isStatus(err, http.StatusUnauthorized) {",
		instead: "if err == nil || err != nil || !isStatus(err, http.StatusUnauthorized) {",
		pkg:     client, test: "TestRefusedTokenIsReplacedOnce",
	},
	{
		promise: "answers are bounded",
		file:    "internal/qod/call.go",
		line:    "if int64(len(body)) > limit {",
		instead: "if int64(len(body)) > 64*limit {",
		pkg:     client, test: "TestAnswersAreBounded",
	},
	{
		promise: "a 404 from elsewhere proves nothing",
		file:    "internal/provider/session_memory.go",
		line:    "if m.Origin == \"\" || m.Origin == origin {",
		instead: "if m.Origin == \"\" || m.Origin != \"\" || m.Origin == origin {",
		pkg:     provider, test: "TestSession_otherOrigin",
	},
	{
		promise: "only a proven 404 means gone",
		file:    "internal/qod/errors.go",
		line:    "e.Status == http.StatusNotFound && e.json &&",
		instead: "e.Status == http.StatusNotFound &&",
		pkg:     provider, test: "TestSession_readFails|TestSession_deleteFails",
	},
	{
		promise: "a list speaks for ten seconds",
		file:    "internal/qod/reader.go",
		line:    "return latest(time.Now().Add(-snapshotAge), r.written[id])",
		instead: "return latest(time.Now().Add(-2*snapshotAge), r.written[id])",
		pkg:     client, test: "TestReadSnapshotAges|TestReadRace",
	},
	{
		promise: "a list does not speak across a write",
		file:    "internal/qod/reader.go",
		line:    "return latest(time.Now().Add(-snapshotAge), r.written[id])",
		instead: "return latest(time.Now().Add(-snapshotAge), r.written[\"\"])",
		pkg:     client, test: "TestReadAcrossOwnWrites",
	},
	{
		promise: "nor does the list under way during a write",
		file:    "internal/qod/reader.go",
		line:    "if err != nil || taken.started.Before(r.speaksFrom(id)) {",
		instead: "if err != nil {",
		pkg:     client, test: "TestReadWhileReleasing|TestReadOfASlowList",
	},
	{
		promise: "a wait is not answered by an old list",
		file:    "internal/qod/await.go",
		line:    "ref.ID, time.Now(), func",
		instead: "ref.ID, time.Time{}, func",
		pkg:     client, test: "TestAwaitLooksAnew|TestAwaitSharesPolls",
	},
	{
		promise: "a list of a refused session is confirmed",
		file:    "internal/qod/reader.go",
		line:    "	case StatusUnavailable:\n	}\n	return false",
		instead: "	case StatusUnavailable:\n	}\n	return true",
		pkg:     client, test: "TestReadConfirmsWhatCostsMoney",
	},
	{
		promise: "an absence in a list is confirmed",
		file:    "internal/qod/reader.go",
		line:    "if !listed || !well",
		instead: "if !listed {\n		return Session{}, true\n	}\n	if !well",
		pkg:     client, test: "TestReadConfirmsWhatCostsMoney",
	},
	{
		promise: "a list that is refused is not asked for again",
		file:    "internal/qod/lists.go",
		line:    "l.off = l.off || refusesLists(err)",
		instead: "_ = refusesLists(err)",
		pkg:     client, test: "TestReadWithoutLists",
	},
	{
		promise: "a list that hangs costs ten seconds once",
		file:    "internal/qod/reader.go",
		line:    "r.lists.disappoint()",
		instead: "_ = r.lists",
		pkg:     client, test: "TestReadWhileTheListHangs",
	},
	{
		promise: "a plan of four asks for no list",
		file:    "internal/qod/reader.go",
		line:    "return len(r.seen) > readOneByOne",
		instead: "return len(r.seen) > readOneByOne-1",
		pkg:     client, test: "TestReadCoalesces|TestReadOfFewAmongMany",
	},
	{
		promise: "lists keep their distance",
		file:    "internal/qod/lists.go",
		line:    "max(listInterval, 2*time.Since(started))",
		instead: "max(listInterval, time.Since(started))",
		pkg:     client, test: "TestListsKeepTheirDistance",
	},
	{
		promise: "a session not ready in time is asked for once more",
		file:    "internal/qod/await.go",
		line:    "w.client.readOnce(ctx, w.ref, 1); err == nil {",
		instead: "w.client.readOnce(ctx, w.ref, 1); err == nil && false {",
		pkg:     client, test: "TestAwaitLooksOnceMoreWhenTimeIsUp",
	},
	{
		promise: "no other network's session is confirmed",
		file:    "internal/provider/shortcut.go",
		line:    "originIn(req.Private) != s.provider.sessions.Origin()",
		instead: "originIn(req.Private) == \"\"",
		pkg:     provider, test: "TestShortcut_read",
	},
	{
		promise: "a session on its way is not planned the short way",
		file:    "internal/provider/shortcut.go",
		line:    "recorded.QoSStatus.ValueString() == string(qod.StatusAvailable)",
		instead: "recorded.QoSStatus.ValueString() != \"\"",
		pkg:     provider, test: "TestShortcut_plan",
	},
	{
		promise: "a token that nobody waits for any more fails nobody",
		file:    "internal/qod/authorizer.go",
		line:    "ctx.Err() != nil && !locks(err)",
		instead: "ctx.Err() != nil && locks(err)",
		pkg:     client, test: "TestTokenEndpointHangs",
	},
	{
		promise: "a session is looked for as long as there may be a token",
		file:    "internal/qod/reserve.go",
		line:    "if mayPass(err) && pause(ctx",
		instead: "if !mayPass(err) && pause(ctx",
		pkg:     client, test: "TestReserveWhenItIsInterrupted",
	},
	{
		promise: "one refusal ends no wait",
		file:    "internal/qod/await.go",
		line:    "return locks(err) || errors.Is(err, ErrNotRenewable)",
		instead: "return asked(err) == maxAsked",
		pkg:     client, test: "TestAwait",
	},
	{
		promise: "what a list too old does not show is not taken over",
		file:    "internal/qod/reserve.go",
		line:    "cr.postedAt.Sub(cr.before.started) <= snapshotGap",
		instead: "cr.postedAt.After(cr.before.started)",
		pkg:     client, test: "TestReserveAdoptsOnlyWhatIsOurs",
	},
	{
		promise: "no create makes do with a list from long before",
		file:    "internal/qod/reserve.go",
		line:    "time.Now().Add(-snapshotGap/2)",
		instead: "time.Now().Add(-snapshotAge)",
		pkg:     client, test: "TestReserveAdoptsOnlyWhatIsOurs",
	},
	{
		promise: "an address without its port proves nothing",
		file:    "internal/qod/reserve.go",
		line:    "cr.spec.Device.shares(s.Device)",
		instead: "cr.spec.Device.overlaps(s.Device)",
		pkg:     client, test: "TestReserveAdoptsOnlyWhatIsOurs",
	},
	{
		promise: "an address waits for its ports",
		file:    "internal/qod/held.go",
		line:    "take(address, 1)",
		instead: "_ = address",
		pkg:     client, test: "TestLock",
	},
	{
		promise: "no two resources hold one session",
		file:    "internal/qod/reserve.go",
		line:    "if taken := cr.taken(s); taken != nil {",
		instead: "if taken := cr.taken(s); taken != nil && taken.Device.IsZero() {",
		pkg:     client, test: "TestReserveWhenTheDeviceHasASession",
	},
	{
		promise: "a panic behind the answer keeps the session",
		file:    "internal/qod/reserve.go",
		line:    "s, err = create.made, create.failed(newPanicError(fault))",
		instead: "err = create.failed(newPanicError(fault))",
		pkg:     client, test: "TestReservePanics",
	},
	{
		promise: "a panic behind a lost answer says that a session may exist",
		file:    "internal/qod/reserve.go",
		line:    "s, err = create.made, create.failed(newPanicError(fault))",
		instead: "s, err = create.made, newPanicError(fault)",
		pkg:     client, test: "TestReservePanics",
	},
	{
		promise: "a delete that is only accepted is waited for",
		file:    "internal/qod/release.go",
		line:    "s.Status == StatusUnavailable && lived)",
		instead: "s.Status == StatusUnavailable)",
		pkg:     client, test: "TestRelease",
	},
	{
		promise: "no secret goes where a nameless document points",
		file:    "internal/qod/discovery.go",
		line:    "case issuer == \"\" && !strings",
		instead: "case issuer != \"\" && !strings",
		pkg:     client, test: "TestDiscovery",
	},
}
