package qod

import (
	"context"
	"time"
)

// clientCredentials is the OAuth 2.0 grant of RFC 6749 §4.4. One token serves every device.
type clientCredentials struct {
	server *authorizationServer
	scopes []string
}

func (g *clientCredentials) perDevice() bool       { return false }
func (g *clientCredentials) subject(Device) string { return "" }
func (g *clientCredentials) asksSomebody() bool    { return false }

func (g *clientCredentials) fetch(ctx context.Context, _ Device) (string, time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, min(g.server.config.RequestTimeout, tokenTimeout/fetchAttempts))
	defer cancel()
	endpoint, err := g.server.tokenEndpoint(ctx)
	if err != nil {
		return "", 0, err
	}
	return g.server.token(ctx, endpoint, g.scopes, nil, subjectMatter{})
}
