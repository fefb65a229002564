package qod

import (
	"cmp"
	"context"
	"net/url"
	"strings"
	"time"
)

// jwtBearer is the grant of RFC 7523 §2.1 as CAMARA's security profile has it: an assertion of the
// client names the device as its subject, has the scopes, and proves who the client is. Nothing
// else does, and nobody is asked: consent was given before, or is missing.
type jwtBearer struct {
	server *authorizationServer
	scopes []string
}

func (g *jwtBearer) perDevice() bool    { return true }
func (g *jwtBearer) asksSomebody() bool { return false }

// subject is the phone number: the profile has no form for an address.
func (g *jwtBearer) subject(d Device) string { return telHint(d) }

func (g *jwtBearer) fetch(ctx context.Context, d Device) (string, time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, min(g.server.config.RequestTimeout, tokenTimeout/fetchAttempts))
	defer cancel()
	endpoint, err := g.server.tokenEndpoint(ctx)
	if err != nil {
		return "", 0, err
	}
	about := subjectMatter{device: d}
	about.secret, err = g.server.config.assertion(g.subject(d), cmp.Or(g.server.config.AssertionAudience, endpoint.url), strings.Join(g.scopes, " "))
	if err != nil {
		return "", 0, g.server.explain(endpoint, err, about)
	}
	return g.server.token(ctx, endpoint, nil, url.Values{
		"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"},
		"assertion":  {about.secret},
	}, about)
}
