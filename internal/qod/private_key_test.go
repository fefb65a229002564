// Every form in which people have a private key is read, or refused with a text that says what it
// is and what to do.
package qod_test

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/telefonica/terraform-provider-qod/internal/qod"
	"github.com/telefonica/terraform-provider-qod/internal/qod/qodtest"
)

// The keys are made once: RSA keys take long.
var (
	rsaKey  = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	p256Key = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
	edKey   = sync.OnceValue(func() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)) })
)

// rsa512 is too short for package rsa to make one.
const rsa512 = `-----BEGIN RSA PRIVATE KEY-----
MIIBOQIBAAJBALIWP7fqxCVEJPSTjvioOpK3uut4Zvh4ODLWY/aVPIkUDE6seex2
jLvRlHuEKJhnE+wyjSUARc19R4e/Y9j9jTUCAwEAAQJAC33eDLssfw8fp1yiPC92
4CLU//7b/iqbzcQB3VaR+nJiLM21YQTsQGeKdMmn3jOTQdVpM4oRSydvvECW9hhx
/QIhANo1fZSoCj8eAzNuJrjldDbCg0AuErg4Za8JNDblMjgDAiEA0O3oe6a2cQJd
yyYtZJG/vr/zhVM6BKPhABZnoQQNrGcCICEIUe9sFMkDQRbLCP+adKJJhdb0Yo8S
sonxyb65qYWDAiArvSKmgEhBcFViaiOmojyaGmVIzBuhTQ2Vjxsywj56kQIgTq+X
9/hzz7J0QlmkPvQvCgmZ4FLWqW/LbDE2Avg1sxs=
-----END RSA PRIVATE KEY-----`

func encoded(kind string, der []byte, headers ...string) string {
	block := &pem.Block{Type: kind, Bytes: der, Headers: map[string]string{}}
	if len(headers) > 0 {
		block.Headers[headers[0]] = headers[1]
	}
	return string(pem.EncodeToMemory(block))
}

func TestParsePrivateKey(t *testing.T) {
	t.Parallel()
	pkcs8 := qodtest.PEM(t, edKey())
	pkcs1 := encoded("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey()))
	sec1 := encoded("EC PRIVATE KEY", must(x509.MarshalECPrivateKey(p256Key())))
	public := encoded("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(edKey().Public())))
	certificate := encoded("CERTIFICATE", []byte("a certificate"))
	rsa1024 := must(rsa.GenerateKey(rand.Reader, 1024)) //nolint:gosec // to be refused
	for name, test := range map[string]struct {
		text string
		says string // the problem does; empty: none
	}{
		"PKCS#8, Ed25519":          {text: pkcs8},
		"PKCS#8, RSA":              {text: qodtest.PEM(t, rsaKey())},
		"PKCS#8, EC":               {text: qodtest.PEM(t, p256Key())},
		"PKCS#1":                   {text: pkcs1},
		"SEC 1":                    {text: sec1},
		"SEC 1 of openssl ecparam": {text: encoded("EC PARAMETERS", []byte{6, 8, 42, 134, 72, 206, 61, 3, 1, 7}) + sec1},
		"with line feeds of DOS":   {text: strings.ReplaceAll(pkcs1, "\n", "\r\n")},
		"on one line, escaped":     {text: strings.ReplaceAll(pkcs1, "\n", `\n`)},
		"escaped, as DOS has it":   {text: strings.ReplaceAll(pkcs1, "\n", `\r\n`)},
		"without the last newline": {text: strings.TrimSpace(pkcs8)},
		"with words around":        {text: "Bag Attributes\n    friendlyName: qod\n\n" + pkcs8 + "\n\n"},
		"indented":                 {text: "    " + strings.ReplaceAll(pkcs1, "\n", "\n    ")},
		"with a byte order mark":   {text: "\ufeff" + pkcs8},
		"with its certificate":     {text: certificate + pkcs8 + certificate},

		"encrypted":                  {encoded("ENCRYPTED PRIVATE KEY", []byte("secret")), "is encrypted, and the provider has no passphrase for it: decrypt it"},
		"encrypted, as OpenSSL did":  {encoded("RSA PRIVATE KEY", []byte("secret"), "Proc-Type", "4,ENCRYPTED"), "is encrypted"},
		"of OpenSSH":                 {encoded("OPENSSH PRIVATE KEY", []byte("secret")), "format of OpenSSH: convert it (ssh-keygen"},
		"a public key":               {public, "contains no private key, but a public key: give the private key"},
		"a certificate":              {certificate, "contains no private key, but a certificate"},
		"a request":                  {encoded("CERTIFICATE REQUEST", []byte("x")), "contains no private key, but a certificate request"},
		"several keys":               {pkcs8 + pkcs1, "contains 2 private keys: give the one that signs"},
		"of 1024 bits":               {encoded("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsa1024)), "is an RSA key of 1024 bits: 2048 is the minimum"},
		"of 512 bits":                {rsa512, "is an RSA key of 512 bits: 2048 is the minimum"},
		"P-384":                      {qodtest.PEM(t, must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))), "is an EC key on the curve P-384: use P-256"},
		"P-521, SEC 1":               {encoded("EC PRIVATE KEY", must(x509.MarshalECPrivateKey(must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader))))), "is an EC key on the curve P-521: use P-256"},
		"X25519":                     {qodtest.PEM(t, must(ecdh.X25519().GenerateKey(rand.Reader))), "does not sign assertions: use RSA"},
		"DSA":                        {encoded("DSA PRIVATE KEY", []byte("secret")), "is a key of the kind dsa, which does not sign assertions"},
		"damaged":                    {encoded("PRIVATE KEY", []byte("secret")), "cannot be read: it is damaged"},
		"called by another name":     {encoded("RSA PRIVATE KEY", []byte("secret")), "cannot be read: it is damaged"},
		"cut off":                    {pkcs1[:len(pkcs1)/2], "is a PEM that is damaged or not complete"},
		"without its line feeds":     {strings.ReplaceAll(pkcs8, "\n", " "), `is a PEM without its line feeds, which something on the way has removed: pass them on, or write each of them as \n`},
		"in base64":                  {base64.StdEncoding.EncodeToString([]byte(pkcs8)), "is in base64: decode it first"},
		"a JWK":                      {`{"kty":"OKP","d":"secret"}`, "A JWK has to be converted to PEM first"},
		"the name of a file":         {"./secret.pem", "If it is the name of a file, give what is in it"},
		"the name of another file":   {`C:\keys\secret.pem`, "If it is the name of a file"},
		"something else":             {"secret", "is no PEM, which begins with a line such as -----BEGIN PRIVATE KEY-----"},
		"something else, and larger": {strings.Repeat("secret", 100), "is no PEM"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key, problem := qod.ParsePrivateKey(test.text)
			if (key != nil) == (problem != "") || (test.says == "") != (problem == "") || !strings.Contains(problem, test.says) {
				t.Errorf("a key: %t; %q does not say %q", key != nil, problem, test.says)
			}
			if strings.Contains(problem, "secret.pem") || strings.Contains(problem, "MII") || strings.Contains(problem, "secretsecret") {
				t.Errorf("%q repeats the text", problem)
			}
			if key != nil {
				for _, format := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
					qodtest.Equal(t, format, fmt.Sprintf(format, key)+fmt.Sprintf(format, *key), "REDACTEDREDACTED")
				}
			}
		})
	}
}
