package qodtest

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/telefonica/terraform-provider-qod/internal/sandbox"
)

// KeyClient is a client that signs assertions with a new key, which comes as PEM.
func KeyClient(t testing.TB, id string) (client sandbox.ClientCredentials, privateKey string) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return sandbox.ClientCredentials{ID: id, Keys: []jose.JSONWebKey{{Key: public}}}, PEM(t, private)
}

// PEM is a private key in PKCS#8.
func PEM(t testing.TB, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}
