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
		line:    "(cr.before != nil && cr.before.ids[s.ID])",
		instead: "(cr.before != nil && cr.before.ids[\"\"])",
		pkg:     client, test: "TestReserveAdoptsOnlyWhatIsOurs",
	},
	{
		promise: "the id is recorded before the wait",
		file:    "internal/provider/session_resource.go",
		line:    "	model.settle()\n	resp.Diagnostics.Append(r.save(ctx, model, &resp.State, resp.Identity)...)\n	resp.Diagnostics.Append(sessionMemory",
		instead: "	model.settle()\n	resp.Diagnostics.Append(sessionMemory",
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
}
