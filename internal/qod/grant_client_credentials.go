package qod

import (
	"context"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// clientCredentials is the OAuth 2.0 grant of RFC 6749 §4.4. One token serves every device.
type clientCredentials struct {
	server *authorizationServer
	scopes []string
}

func (g *clientCredentials) perDevice() bool        { return false }
func (g *clientCredentials) subject(Device) string  { return "" }
func (g *clientCredentials) maxTime() time.Duration { return tokenTimeout }
func (g *clientCredentials) repeatable() bool       { return true }

func (g *clientCredentials) fetch(ctx context.Context, _ Device) (string, time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, min(g.server.config.RequestTimeout, tokenTimeout/fetchAttempts))
	defer cancel()
	endpoint, err := g.server.endpoint(ctx)
	if err != nil {
		return "", 0, err
	}
	request := clientcredentials.Config{TokenURL: endpoint.url, Scopes: g.scopes, AuthStyle: oauth2.AuthStyleInParams}
	token, err := request.Token(g.server.authenticated(ctx, endpoint.method))
	return g.server.result(endpoint, token, err)
}
