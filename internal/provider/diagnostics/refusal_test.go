// What people read about the refusals that CAMARA's documents have codes for.

package diagnostics

import (
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// refusalRows are the codes as the documents of 1.x, 0.11 and 0.10 spell them, with their statuses.
var refusalRows = []struct {
	code   string
	status int
}{
	{"IDENTIFIER_NOT_FOUND", http.StatusNotFound},
	{"SERVICE_NOT_APPLICABLE", http.StatusUnprocessableEntity},
	{"UNSUPPORTED_IDENTIFIER", http.StatusUnprocessableEntity},
	{"MISSING_IDENTIFIER", http.StatusUnprocessableEntity},
	{"UNNECESSARY_IDENTIFIER", http.StatusUnprocessableEntity},
	{"INVALID_TOKEN_CONTEXT", http.StatusForbidden},
	{"IDENTIFIER_MISMATCH", http.StatusUnprocessableEntity},
	{"DEVICE_NOT_FOUND", http.StatusNotFound},
	{"DEVICE_NOT_APPLICABLE", http.StatusUnprocessableEntity},
	{"DEVICE_IDENTIFIERS_MISMATCH", http.StatusUnprocessableEntity},
	{"UNIDENTIFIABLE_DEVICE", http.StatusUnprocessableEntity},
	{"QUALITY_ON_DEMAND.QOS_PROFILE_NOT_APPLICABLE", http.StatusUnprocessableEntity},
	{"QUALITY_ON_DEMAND.DURATION_OUT_OF_RANGE", http.StatusBadRequest},
	{"INVALID_SINK", http.StatusBadRequest},
	{"INVALID_CREDENTIAL", http.StatusBadRequest},
	{"INVALID_TOKEN", http.StatusBadRequest},
	{"OUT_OF_RANGE", http.StatusBadRequest},
	{"NOT_IMPLEMENTED", http.StatusNotImplemented},
}

var refusalFailures = func() map[string]failure {
	failures := map[string]failure{
		"list/a device is needed":      {make: func(*bubble) diag.Diagnostics { return one(ListFailed(qod.ErrListNeedsDevice)) }},
		"list/no list":                 {make: func(*bubble) diag.Diagnostics { return one(ListFailed(qod.ErrNoList)) }},
		"list/no profiles":             {make: func(*bubble) diag.Diagnostics { return one(ProfilesFailed(qod.ErrNoProfiles)) }},
		"list/no profiles of a device": {make: func(*bubble) diag.Diagnostics { return one(ProfilesFailed(qod.ErrNoDeviceProfiles)) }},
		"list/no scope for profiles": {make: func(*bubble) diag.Diagnostics {
			return one(ProfilesFailed(&qod.Error{
				Operation: qod.OperationProfiles, Status: http.StatusForbidden, Scope: "qos-profiles:read",
				Code: "PERMISSION_DENIED", Message: "Client does not have sufficient permissions to perform this action.", Correlator: correlator,
			}))
		}},
		"list/no profiles API": {make: func(*bubble) diag.Diagnostics {
			return one(ProfilesFailed(&qod.Error{Operation: qod.OperationProfiles, Status: http.StatusNotFound, Message: "no Route matched with those values", Correlator: correlator}))
		}},
	}
	failures["refused/INVALID_TOKEN_CONTEXT, a token for one device"] = failure{make: func(*bubble) diag.Diagnostics {
		return one(CreatingSession.CreateFailed(&qod.Error{
			Operation: qod.OperationCreate, Status: http.StatusForbidden, Code: "INVALID_TOKEN_CONTEXT", Message: "What the operator says.", PerDevice: true, Correlator: correlator,
		}))
	}}
	failures["refused/too long, and the limit is not known"] = failure{make: func(*bubble) diag.Diagnostics {
		return one(CreatingReservation.CreateFailed(&qod.Error{
			Operation: qod.OperationCreate, Status: http.StatusBadRequest, Code: "QUALITY_ON_DEMAND.DURATION_OUT_OF_RANGE", Correlator: correlator,
			NoLimit: &qod.Error{Operation: qod.OperationProfiles, Status: http.StatusForbidden, Scope: "qos-profiles:read"},
		}))
	}}
	for _, row := range refusalRows {
		failures["refused/"+row.code] = failure{make: func(*bubble) diag.Diagnostics {
			return one(CreatingSession.CreateFailed(&qod.Error{
				Operation: qod.OperationCreate, Status: row.status, Code: row.code, Message: "What the operator says.", Correlator: correlator,
			}))
		}}
	}
	return failures
}()

// Every code that has a text is one that the documents have, and is read by somebody above.
func TestRefusals(t *testing.T) {
	t.Parallel()
	left := maps.Clone(refusals)
	for _, row := range refusalRows {
		e := &qod.Error{Operation: qod.OperationCreate, Status: row.status, Code: row.code}
		if _, explained := explainRefusal(e); !explained {
			t.Errorf("%s is not explained", row.code)
		}
		e.Status = http.StatusUnauthorized
		if _, explained := explainRefusal(e); explained {
			t.Errorf("%s is explained where it may mean something else", row.code)
		}
		maps.DeleteFunc(left, func(code string, _ message) bool {
			return code == row.code || "QUALITY_ON_DEMAND."+code == row.code
		})
	}
	if len(left) > 0 {
		t.Errorf("no document has %v", slices.Sorted(maps.Keys(left)))
	}
}
