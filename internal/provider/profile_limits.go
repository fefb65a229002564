package provider

import (
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/telefonica/terraform-provider-qod/internal/provider/diagnostics"
	"github.com/telefonica/terraform-provider-qod/internal/provider/validators"
	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// Planning asks nobody for the limits of a profile. But the data source qod_profiles may have read
// them in this process, and then a plan warns of what they do not allow. It is no error: the
// operator may have changed them, and the API decides.

// outsideProfile warns of wanted seconds, of an attribute, that the profile does not allow, and of
// what then becomes of them.
func outsideProfile(api qod.Sessions, profile types.String, attribute string, wanted validators.WholeNumber, becomes diagnostics.OutsideProfile) diag.Diagnostics {
	known, ok := api.KnownProfile(profile.ValueString())
	if !ok || !isSet(wanted) {
		return nil
	}
	seconds := wanted.ValueInt64()
	switch {
	case known.MaxSeconds > 0 && seconds > known.MaxSeconds:
		return diag.Diagnostics{becomes.Longer(attribute, known, seconds)}
	case seconds < known.MinSeconds:
		return diag.Diagnostics{diagnostics.ShorterThanProfile(attribute, known, seconds)}
	}
	return nil
}
