package provider

import (
	"context"
	"time"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
)

// unconfigured stands in for the API while it cannot be called: the provider's configuration
// depends on what Terraform has yet to create, or there are no credentials. A plan that needs no
// call succeeds with it.
type unconfigured struct {
	api      qod.API
	grant    qod.Grant
	endpoint string // empty: not known
	err      error  // of every call
}

func (u unconfigured) Check(s qod.Spec) []qod.Problem { return qod.CheckFor(u.api, u.grant, s) }
func (u unconfigured) Limits() qod.Limits             { return qod.LimitsFor(u.api, u.grant) }
func (u unconfigured) Collide(a, b qod.Spec) bool     { return qod.CollideFor(u.api, a, b) }
func (u unconfigured) Create(context.Context, qod.Spec) (qod.Session, error) {
	return qod.Session{}, u.err
}
func (u unconfigured) Await(context.Context, qod.Ref) (qod.Session, error) {
	return qod.Session{}, u.err
}
func (u unconfigured) Read(context.Context, qod.Ref) (qod.Session, error) {
	return qod.Session{}, u.err
}
func (u unconfigured) Extend(context.Context, qod.Ref, time.Time) (qod.Session, error) {
	return qod.Session{}, u.err
}
func (u unconfigured) Delete(context.Context, qod.Ref) error                   { return u.err }
func (u unconfigured) List(context.Context, qod.Filter) ([]qod.Session, error) { return nil, u.err }
func (u unconfigured) Profiles(context.Context, qod.ProfileFilter) ([]qod.Profile, error) {
	return nil, u.err
}
func (unconfigured) KnownProfile(string) (qod.Profile, bool)  { return qod.Profile{}, false }
func (u unconfigured) Now(context.Context) (time.Time, error) { return time.Time{}, u.err }
func (u unconfigured) Endpoint() string                       { return u.endpoint }
func (u unconfigured) Origin() string                         { return "" }
