// Keeps the list of everything that can go wrong next to the test that proves what happens then,
// and checks that each of these tests exists.

package provider

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// scenario is a way to fail and the tests of it, or why none applies.
type scenario struct {
	id    string // several may share one; empty for what the list of ids does not know
	what  string
	tests string // separated by spaces
	none  string
}

var scenarios = []scenario{
	// Creating: ambiguity and duplicates.
	{id: "A1", what: "the answer to the POST is lost after the commit", tests: "TestCreateWhenTheAnswerIsLost TestSession_lostAnswer"},
	{id: "A2", what: "a POST is repeated by itself", tests: "TestCreateWhenTheAnswerIsLost TestCreateKeepsItsPromiseUnderTwoFaults"},
	{id: "A3", what: "the POST meets a connection that has just closed", tests: "TestIdleConnectionIsClosed TestKeptConnectionIsCut"},
	{id: "A4", what: "the POST times out and commits late", tests: "TestCreateWhenTheAnswerIsLost TestSoak"},
	{id: "A5", what: "a 201 with a truncated, empty, HTML or invalid body", tests: "TestCreateWhenTheAnswerIsUnreadable FuzzSession"},
	{id: "A6", what: "a 201 with a field of the wrong type", tests: "TestCreateWhenTheAnswerIsUnreadable FuzzSession"},
	{id: "A7", what: "a 201 without a usable id", tests: "TestCreateWhenTheAnswerIsUnreadable FuzzID"},
	{id: "A8", what: "200 or 202 instead of 201", tests: "TestCreateWhenTheAnswerIsUnreadable"},
	{id: "A9", what: "409", tests: "TestCreateWhenTheDeviceHasASession TestSession_conflicts"},
	{id: "A10", what: "409 caused by the lost POST of an earlier run", tests: "TestCrashes TestSoak"},
	{id: "A11", what: "502, 503 or 504 on POST, with and without a commit", tests: "TestCreateWhenTheAnswerIsLost TestSoak"},
	{id: "A12", what: "reconciling finds sessions of others", tests: "TestCreateAdoptsOnlyWhatIsOurs TestCreateWithAWrongClock TestCreateByAClockThatIsBehind"},
	{id: "A13", what: "reconciling cannot list", tests: "TestCreateKeepsItsPromiseUnderTwoFaults"},
	{id: "A14", what: "two resources with one device, in parallel", tests: "TestCreateOneAtATimeForOneDevice TestCreateSharesItsLooks TestSession_twoRows TestLifecycle"},
	{id: "A15", what: "create_before_destroy", tests: "TestSession_createBeforeDestroy TestLifecycle"},
	{id: "A16", what: "no token before the POST", tests: "TestCreateWhenNothingIsSent"},
	{id: "A17", what: "a session that does not show yet", tests: "TestAwait"},

	// Processes dying.
	{id: "B1", what: "SIGINT during the POST", tests: "TestSignals TestCreateWhenItIsInterrupted"},
	{id: "B2", what: "SIGINT during the wait", tests: "TestSignals TestAwaitInterrupted"},
	{id: "B3", what: "SIGINT twice", none: "it kills the plugin, as SIGKILL does (TestCrashes); the reliability guide says so"},
	{id: "B4", what: "SIGTERM to the process group", tests: "TestSignals"},
	{id: "B4", what: "the terminal is closed", tests: "TestCrashes"},
	{id: "B5", what: "SIGKILL of the plugin during the POST", tests: "TestCrashes"},
	{id: "B6", what: "SIGKILL of Terraform during the POST", tests: "TestCrashes TestCreateHoldsPostInFlight"},
	{id: "B6", what: "the shell of a provider that is debugged ends", tests: "TestDebugged"},
	{id: "B7", what: "a panic in the provider", tests: "TestFaults TestFaultBehindAChange TestCreatePanics TestAwaitPanics TestDeletePanics TestTokenPanics TestLookingPanics"},
	{id: "B8", what: "a dependency ends the process", none: "none is linked that does; golangci-lint forbids it to our own"},
	{id: "B9", what: "the state cannot be written", none: "Terraform's errored.tfstate; nothing the provider can see"},

	// State correctness.
	{id: "C1", what: "an error after the id is known", tests: "TestSession_createEnds TestSession_createEndsWith"},
	{id: "C2", what: "an unknown value left in state", tests: "TestSession_createEnds TestSession_resumedWaitEnds"},
	{id: "C3", what: "an inconsistent result after apply", tests: "TestSession_echoes"},
	{id: "C4", what: "state without identity and a session that is gone", tests: "TestSession_readWithoutIdentity"},
	{what: "identities that earlier builds and other CLIs wrote, and moved ones", tests: "TestIdentity_upgrade TestIdentity_earlierStates TestIdentity_isPutRight TestIdentity_moved TestMoved"},
	{id: "C5", what: "a 404 from another endpoint or client", tests: "TestSession_otherOrigin TestSession_otherAlias TestSession_movesToOrigin"},
	{id: "C5", what: "a 404 for another client's ready token", tests: "TestSession_otherToken TestReservation_otherToken"},
	{id: "C5", what: "a refresh that is answered with 404, HTML, 403 or 5xx", tests: "TestSession_readFails TestSession_life"},
	{id: "C6", what: "a delete that is answered with 204, 404, 202 or HTML", tests: "TestDelete TestSession_deleteFails"},
	{id: "C7", what: "the answer to the delete is lost", tests: "TestDelete TestSoak"},
	{id: "C8", what: "the delete is interrupted", tests: "TestDeleteInterrupted"},
	{id: "C9", what: "a tainted session that is gone", tests: "TestSession_tainted TestSoak"},
	{id: "C10", what: "only what the API never sees changes", tests: "TestSession_updatesInPlace"},

	// The life of a session.
	{id: "D1", what: "a session ends by itself", tests: "TestSession_life"},
	{id: "D2", what: "a session becomes UNAVAILABLE between runs", tests: "TestSession_life TestPlanSession"},
	{id: "D3", what: "a session ends between plan and apply", tests: "TestLifecycle"},
	{id: "D4", what: "orphans have to be found", tests: "TestSessions TestExamples_import"},
	{id: "D5", what: "the local clock is wrong", tests: "TestCreateWithAWrongClock TestNow"},
	{id: "D6", what: "UNAVAILABLE right after the create", tests: "TestCreateAndAwaitUnavailable TestSession_createEndsWith"},
	{id: "D7", what: "the session is changed elsewhere", tests: "TestSession_changedByNetwork"},

	// Tokens.
	{id: "E1", what: "a token expires or is revoked with 100 calls in flight", tests: "TestTokenExpiresDuringTheRun TestTokenRevokedUnderWay"},
	{what: "a user takes 15 seconds, 90 seconds or minutes to agree, or never does", tests: "TestCIBAOnePrompt TestCIBARefusals TestCIBATimesOut TestCIBA_takesLong"},
	{what: "an answer of CIBA is lost, which may have held the token", tests: "TestCIBALostAnswers"},
	{what: "the token of one device is revoked", tests: "TestCIBARevoked TestCIBARevokedUnderWay TestCIBARevokedDuringARead TestJWTBearerRevoked"},
	{what: "a fleet whose users have to agree", tests: "TestCIBAFleet TestCIBAPending TestCIBA_life"},
	{what: "an interrupt while users are asked", tests: "TestCIBAInterrupted TestCIBA_stops"},
	{what: "authorization servers that repeat what they were sent", tests: "TestCIBALeaks TestJWTBearerLeaks"},
	{what: "an import where each token is for one device", tests: "TestSession_importWithDevice TestSession_identityWithoutDevice TestSession_perDevice"},
	{id: "E2", what: "odd lifetimes of a token", tests: "TestTokenLifetime FuzzToken"},
	{id: "E3", what: "the token endpoint is down, slow or hangs", tests: "TestTokenOutage TestTokenEndpointHangs TestTokenFailureIsShared"},
	{id: "E4", what: "invalid_client", tests: "TestTokenRefusedClientAsksOnce TestCIBARefusedClientAsksOnce TestJWTBearerRefusedClientAsksOnce"},
	{id: "E5", what: "HTML, text/plain, or 200 with an error from the token endpoint", tests: "TestTokenAnswers"},
	{id: "E6", what: "a token that no header can hold", tests: "TestTokenAnswers TestNew"},
	{id: "E7", what: "discovery is down or wrong", tests: "TestDiscovery TestDiscoveryRecovers TestConfig_discovery"},
	{id: "E8", what: "403", tests: "TestForbiddenNamesTheScope TestCreateWhenItIsRefused"},
	{id: "E9", what: "the token is sent elsewhere", tests: "TestRedirectsAreNotFollowed"},
	{id: "E10", what: "the answers of CIBA", none: "the dialect of this API document has client credentials; CIBA is a later grant behind the same interface"},

	// Statuses, limits, bodies.
	{id: "F1", what: "429 with Retry-After of every form", tests: "TestCreateWhenItIsRefused TestListSaysHowLongItIsAskedToWait FuzzRetryAfter"},
	{id: "F2", what: "502, 503 and 504 on read and delete", tests: "TestRead TestDelete TestRetriesAreSpread"},
	{id: "F3", what: "an error body that is no JSON", tests: "TestAnswersAreToldInAFewWords"},
	{id: "F4", what: "an endless or huge body, a gzip bomb, a stalled body", tests: "TestAnswersAreBounded TestRequestTimeout"},
	{id: "F5", what: "unknown fields and statuses", tests: "TestAwait TestSession_echoes"},
	{id: "F6", what: "null, objects and duplicates in a list", tests: "TestList"},
	{id: "F7", what: "10,000 sessions", tests: "TestListOfTenThousand"},
	{id: "F8", what: "a login page instead of the API", tests: "TestSession_readFails"},
	{id: "F9", what: "many calls at once", tests: "TestConnectionsAreReused"},
	{id: "F10", what: "many waits at once", tests: "TestAwaitSpreadsItsPolls"},

	// Network, TLS, proxies, paths.
	{id: "G1", what: "redirects", tests: "TestRedirectsAreNotFollowed"},
	{id: "G2", what: "an http endpoint", tests: "TestCheckURL TestConfig_addresses"},
	{id: "G3", what: "TLS that cannot be trusted", tests: "TestTrust TestPlainHTTPWhereTLSIsWanted"},
	{id: "G4", what: "a proxy", tests: "TestProxy"},
	{id: "G5", what: "no connection", tests: "TestConnectionRefused"},
	{id: "G6", what: "an id that is a path", tests: "FuzzID TestSession_importRefuses TestAwaitRefusesWhatIsNoID TestDeleteRefusesWhatIsNoID"},
	{id: "G7", what: "an endpoint with a path, a query or a password", tests: "TestCheckURL TestConfig_addresses"},
	{id: "G8", what: "HTTP/2", tests: "TestHTTP2"},

	// Inputs and workflows.
	{id: "H1", what: "spellings of addresses", tests: "TestPlanSession_keepsSpelling TestSession_echoes"},
	{id: "H2", what: "a provider configuration that is not known yet", tests: "TestConfig_unknown TestSession_unknownEndpoint"},
	{id: "H3", what: "values that are not known yet", tests: "TestValidation_unknown TestSession_unknownValues"},
	{id: "H4", what: "an import of what the API never shows", tests: "TestSession_imports TestSession_adoptsConfiguration"},
	{id: "H5", what: "generated configuration", tests: "TestSession_generatesConfiguration"},
	{id: "H6", what: "-refresh-only, -target, moved, removed, -replace, -refresh=false", tests: "TestLifecycle"},
	{id: "H7", what: "terraform test with a mocked provider", tests: "TestLifecycle"},
	{id: "H8", what: "another version of the provider", none: "there is no earlier release whose state could differ"},
	{id: "H9", what: "destroying what is UNAVAILABLE", tests: "TestSession_life"},
	{id: "H10", what: "OpenTofu", none: "make test runs all of it on OpenTofu, too"},

	// Reservations. What creates, tokens and the network do wrong above reaches them the same way.
	{what: "the answer to an update's POST is lost, late, 5xx or unreadable", tests: "TestReservation_updateLosesTheAnswer TestReservation_updateFails TestSoak"},
	{what: "409 in an update: of ours, of others, of this run", tests: "TestReservation_updateConflicts TestReservation_updateFails"},
	{what: "a fault of the provider behind an update's POST", tests: "TestReservation_updateEndsWith TestReservation_updateEndsBehindTheRelease"},
	{what: "an interrupt before, in and behind an update's POST", tests: "TestReservation_moveFails TestReservation_updateInterrupted TestReservation_signals"},
	{what: "SIGKILL in an update's POST", tests: "TestReservation_signals"},
	{what: "a reservation cannot be made in its window", tests: "TestReservation_createFails"},
	{what: "the release before a reservation's next session fails", tests: "TestReservation_moveFails TestSoak"},
	{what: "the work of a moved window fails half-way", tests: "TestReservation_moveFails TestReservation_updateEndsWith TestReservation_slow TestSoak"},
	{what: "the API's time is not known, or the local clock is wrong", tests: "TestReservation_clock TestWindow_status"},
	{what: "a window closes or opens between plan and apply, or during the run", tests: "TestReservation_tooLate TestReservation_staleSaved TestReservation_updatesWithoutACall TestReservation_workflows TestSoak"},
	{what: "a reservation moves to another endpoint or client", tests: "TestReservation_origins"},
	{what: "a reservation's session is gone before it is adopted", tests: "TestReservation_import"},
	{what: "the state is lost during the event", tests: "TestReservation_recovers TestReservation_import TestGuide/recover-reservations"},
	{what: "-refresh=false, -refresh-only, -target, -replace, moved, saved plans of reservations", tests: "TestReservation_workflows"},
	{what: "times that are none", tests: "TestValidation_reservation FuzzInstant"},
	{what: "notifications whose token expires, and windows that outlast it", tests: "TestCAMARA_webhook TestCAMARA_webhookOfALongWindow"},
	{what: "lists of one device: lost answers, conflicts, proof, and lists that may be cut", tests: "TestCAMARAV1LostAnswers TestCAMARAV1ConflictsAreOfFlows TestCAMARAV1GoneByTheDevicesList TestCAMARAV1ListOfAHundred TestPlannedRequests"},
	{what: "no list at all: lost answers, conflicts and proof", tests: "TestCAMARAV0LostAnswers TestCAMARAV0Conflicts TestCAMARAV0Gone"},
	{what: "extra time, windows longer than a session, and what an extension's plan shows", tests: "TestReservation_extraTime TestReservation_longWindow TestPlanReservation_extends TestReservation_grantedWithoutAnEnd"},
	{what: "a fleet where sessions are listed by device only", tests: "TestCAMARA_fleet"},
	{what: "a thousand reservations", tests: "TestFleet_reservations"},
	{what: "an apply before the window or after it, or of an older plan", tests: "TestReservation_event TestReservation_tooLate TestReservation_workflows"},
	{what: "the window is moved while there is a session", tests: "TestReservation_moves TestReservation_shortens"},
	{what: "the window is over before anything was made", tests: "TestReservation_neverMade"},

	// Which endpoint: a plan, and a session, belong to one.
	{what: "a saved plan is applied at another endpoint", tests: "TestEndpoint_savedPlan TestEndpoint_refuses TestEndpoint_otherAPI"},
	{what: "one session is held by two resources", tests: "TestSession_heldTwice TestSession_heldTwiceCLI TestFastPath_heldTwice"},
	{what: "a value that is not known replaces a live session", tests: "TestPlanSession TestPlanReservation TestReservation_workflows"},

	// What the client believes, whoever asks.
	{what: "a 404 in any shape, with lists in any state, of a session that is live, gone or past its end", tests: "TestGoneOnlyWithProof TestGoneCostsFewRequests TestGonePastItsEndByTwoAnswers TestLag TestLagInterrupted TestLagOfAFleet"},
	{what: "Dates that jump, stand still, come from a cache or are missing", tests: "TestServerClock TestServerClockKnowsACache TestNow TestNowOfSeveralNodes TestNowAfterAContradiction"},
	{what: "a list in pages, in part, or from a cache", tests: "TestListPages TestListIsWholeOrSaysSo TestReadByListsThatAreParts TestReadOfAFleetBehindACache"},
	{what: "a lost POST, and lists that lag, on a network that takes several sessions a device", tests: "TestCreateIsNeverGreenWithTwo TestCreateByAClockThatTheLostSessionContradicts TestCreateLooksForASecondSession TestCreateAdoptsNothingOfOthersBehindAListThatLags"},
	{what: "answers that look like proof: 200 to a DELETE, lists that cannot be read, codes of gateways, a processed 401", tests: "TestDeleteIsEndedBy204Alone TestGoneByNoListThatCannotBeRead TestGoneByNoCodeOfAGateway TestCreateBehindARefusedTokenAndAListThatLags"},
	{what: "a session that is over when it is made", tests: "TestSession_grantedInThePast"},
	{what: "answers that are mixed up", tests: "TestCreateOfAnswersThatAreMixedUp TestReadOfAnswersThatAreMixedUp"},
	{what: "a 401 to a POST, committed and not", tests: "TestCreateBehindARefusedToken"},
	{what: "a 409 behind a delete of this process", tests: "TestCreateBehindAnOwnDelete TestCreateOfRenamedResources"},
	{what: "HTTP/2 streams that are reset, GOAWAY, connections that go silent", tests: "TestCreateIsSentOnceOverHTTP2 TestCreateIsSentOnceOverHTTP1 TestCreateOverASilentHTTP2Connection TestSilentHTTP2ConnectionIsLeft TestSilentIdleConnectionsAreLeft TestDeleteOverHTTP2"},
	{what: "429 without an end", tests: "TestFleetAtARateLimit TestBusyForEver TestBusyIsOutlasted TestNothingIsHeldUpWithoutA429"},
	{what: "409, 423 or 425 to a DELETE", tests: "TestDeleteOfABusySession"},
	{what: "byte-order marks, wrapped bodies, times and statuses in other spellings", tests: "TestByteOrderMarks TestWrappedAnswers TestUnread TestStatusOf"},
	{what: "numbers in other spellings, short secrets", tests: "TestPhoneNumbersAreMasked TestOtherNumbersAreReadable TestShortSecrets"},

	// Sessions, and what stands between them and Terraform.
	{what: "a gateway answers 404 in the API's place", tests: "TestSession_gatewayNotFound TestSession_gatewayNotFound_cli"},
	{what: "a replica that lags does not know a new session", tests: "TestSession_replicaLags TestSession_notSeenWhileWaiting"},
	{what: "the answers to two requests are mixed up", tests: "TestSession_createsMixedUp TestSession_readsMixedUp"},
	{what: "the answer to the POST is lost and lists lag behind it", tests: "TestSession_lostAnswerAndLaggingList"},
	{what: "the answer to the POST is lost with an HTTP/2 stream or its connection", tests: "TestSession_lostAnswer_cli"},
	{what: "a list stands still, comes from a cache, in pages, in part, or says in another way that it is empty", tests: "TestSession_listStandsStill TestSession_listFromACache TestSession_listsInPages TestSession_emptyLists"},
	{what: "ids in upper case", tests: "TestSession_idsInUpperCase TestSession_importsAnyID"},
	{what: "the network holds the device for a while after the delete", tests: "TestSession_deviceHeldAfterDelete TestSession_deviceHeldAfterDelete_cli"},
	{what: "a session is AVAILABLE past its own end, by a clock that is right or wrong", tests: "TestSession_availablePastItsEnd TestSession_availablePastItsEnd_cli"},
	{what: "a status in another word, times in another spelling", tests: "TestSession_otherWordsForAStatus TestSession_timesInOtherSpellings"},
	{what: "a delete is refused for now", tests: "TestSession_busyDelete"},
	{what: "404 or 410 past the end, also without a list", tests: "TestSession_saidToBeGone"},
	{what: "a session is gone before its end", tests: "TestSession_goneIsNamed_cli TestSession_readWithoutIdentity"},
	{what: "keys are renamed while deletes are slow", tests: "TestSession_renamedKeys_cli"},
	{what: "more devices pass from one resource to another than Terraform has places", tests: "TestHandovers TestSession_renamedKeys_cli"},
	{what: "the API takes a few requests a second", tests: "TestSession_rateLimited_cli"},
	{what: "a value that is not known yet replaces a live session", tests: "TestSession_replacedForAnUnknownValue"},
	{what: "a gateway, a lagging node, a busy delete or a wrong status under a reservation", tests: "TestReservation_foreignNotFound TestReservation_laggingNode TestReservation_deleteBusy TestReservation_availablePastItsEnd TestReservationCLI_foreignNotFound"},
	{what: "a clock that ends or buys too much", tests: "TestReservation_wrongTimeEndsNothing TestReservation_grantedBeyondTheWindow TestReservation_startsNow TestReservationCLI_startsNow TestReservationCLI_grantedBeyondTheWindow"},
	{what: "a reservation without the API", tests: "TestReservation_withoutTheAPI TestReservationCLI_withoutTheAPI"},
	{what: "a session that a reservation lost sight of", tests: "TestReservation_takenBack TestReservationCLI_takenBack TestReservation_destroysTheLost"},
	{what: "an extension is lost, repeated, capped, refused or fails", tests: "TestSeam_extend TestSeam_extendTwice TestCAMARAV1Extends TestExtension_faults TestCAMARA_extensionFails TestCAMARA_extendsSession TestReservation_extensionFails"},
	{what: "a session ends between the plan that extends it and the apply", tests: "TestReservation_extensionAfterChange"},
	{what: "an API that lists the sessions of one device: lost answers, conflicts, 404s, lists that were cut", tests: "TestCAMARAV1LostAnswers TestCAMARAV1ConflictsAreOfFlows TestCAMARAV1GoneByTheDevicesList TestCAMARAV1ListOfAHundred"},
	{what: "an API without a list: an answer is lost, and what proves that nothing was created", tests: "TestCAMARAV0LostAnswers TestCAMARAV0_lostAnswer TestCAMARAV0RetriesWhatWasNotCarriedOut TestCAMARAV0NotOffered"},
	{what: "an API without a list: 409, also behind a delete or ahead of one", tests: "TestCAMARAV0Conflicts TestCAMARAV0ConflictsOfThisProcess TestCAMARAV0_renamed TestCAMARAV0_takenBack"},
	{what: "an API without a list: 404s of its own and of gateways", tests: "TestCAMARAV0Gone TestCAMARAV0GoneInTime TestCAMARAV0Deletes TestCAMARAV0_gone"},
	{what: "extensions by what remains, and of what is not active", tests: "TestCAMARAV0Extends TestCAMARAV0ExtendsOnceItIsActive TestCAMARAV0_reservationBeyondADay TestReservation_longWindow"},
	{what: "a mock that remembers nothing, and answers that say more than is known", tests: "TestCAMARAV0ReadsWhatGatewaysSend TestCAMARAV0AnswersOfAMock TestCAMARAV0ForgetfulMock TestCAMARAV0_forgetfulMock TestRemote_life"},
	{what: "answers that repeat the webhook's token", tests: "TestCAMARAV0KeepsTheWebhooksToken TestCAMARAV0_webhookToken"},
	{what: "a server spells the device's number in its error", tests: "TestSession_numbersInErrors"},

	// Secrets.
	{id: "I1", what: "TF_LOG=TRACE", tests: "TestSecretsStayInside"},
	{id: "I2", what: "masks that reach only one call", none: "no mask is relied on: log lines hold an allow-list of fields (TestNothingLeaks)"},
	{id: "I3", what: "secrets in state and plan", tests: "TestSecretsStayInside TestReservation_tokenIsSent TestSchema_secrets"},
	{id: "I4", what: "secrets in errors and formatted values", tests: "TestNothingLeaks TestNothingPrints"},
	{id: "I5", what: "a server that repeats secrets", tests: "TestNothingLeaks TestForeignIdentifiersAreMasked TestSecretsStayInside"},
	{id: "I6", what: "the webhook token sent to a redirect's target", tests: "TestRedirectsAreNotFollowed"},
}

func TestScenarios(t *testing.T) {
	t.Parallel()
	exist := map[string]bool{}
	for _, pattern := range []string{"*_test.go", "*/*_test.go", "../qod/*_test.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range parsed.Decls {
				if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
					exist[f.Name.Name] = true
				}
			}
		}
	}
	scripts, err := filepath.Glob(filepath.Join(scriptsDir, "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	for _, script := range scripts {
		exist["TestGuide/"+strings.TrimSuffix(filepath.Base(script), ".txtar")] = true
	}
	covered := map[string]bool{"": true}
	for _, s := range scenarios {
		covered[s.id] = true
		tests := strings.Fields(s.tests)
		if (len(tests) == 0) == (s.none == "") {
			t.Errorf("%s: needs tests, or a reason why there are none", s.what)
		}
		for _, name := range tests {
			if !exist[name] {
				t.Errorf("%s: there is no test %s", s.what, name)
			}
		}
	}
	for letter, most := range map[string]int{"A": 17, "B": 9, "C": 10, "D": 7, "E": 10, "F": 10, "G": 8, "H": 10, "I": 6} {
		for n := 1; n <= most; n++ {
			id := fmt.Sprint(letter, n)
			if !covered[id] {
				t.Errorf("no row covers the scenario %s", id)
			}
			delete(covered, id)
		}
	}
	delete(covered, "")
	for id := range covered {
		t.Errorf("there is no scenario %q", id)
	}
}

// TestGuarantees checks that the tests which the published promises name exist.
func TestGuarantees(t *testing.T) {
	t.Parallel()
	guide := readExample(t, "../templates/guides/reliability.md")
	named := 0
	for _, word := range strings.FieldsFunc(guide, func(r rune) bool { return r == '`' || r == ' ' || r == ',' || r == '|' || r == '\n' }) {
		if !strings.HasPrefix(word, "Test") {
			continue
		}
		named++
		known := false
		for _, s := range scenarios {
			known = known || strings.Contains(" "+s.tests+" ", " "+word+" ")
		}
		if !known {
			t.Errorf("the guide names %s, which is no test of a scenario", word)
		}
	}
	if named < 10 {
		t.Errorf("the guide names %d tests of scenarios, want those of every promise", named)
	}
}
