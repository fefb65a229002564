package qod

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"regexp"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// PrivateKey signs the assertions of private_key_jwt and of the grant jwt_bearer. It prints as
// REDACTED with every verb.
type PrivateKey struct {
	key       any
	algorithm jose.SignatureAlgorithm
}

// Format keeps the key out of everything that is printed.
func (PrivateKey) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("REDACTED")) }

// minRSABits is the smallest RSA key that RS256 may be used with (RFC 7518 §3.3).
const minRSABits = 2048

// indentation is what stands before the text of a line.
var indentation = regexp.MustCompile(`(?m)^[ \t]+`)

// ParsePrivateKey reads a private key from PEM: PKCS#8, PKCS#1 or SEC 1. Otherwise it says what is
// wrong with the text, as a verb with its object; nothing of the text is in it.
//
// An env file has one line for each value, so line feeds may be written as \n. Heredocs and YAML
// indent lines, and editors of Windows begin a file with a byte order mark. What comes with a key
// is passed over: its certificates, its public key and the EC PARAMETERS of openssl ecparam.
func ParsePrivateKey(text string) (key *PrivateKey, problem string) {
	text = strings.TrimPrefix(text, "\ufeff")
	if !strings.Contains(strings.TrimSpace(text), "\n") {
		text = strings.NewReplacer(`\r\n`, "\n", `\n`, "\n").Replace(text)
	}
	text = indentation.ReplaceAllString(text, "")
	var keys, others []*pem.Block
	for block, rest := pem.Decode([]byte(text)); block != nil; block, rest = pem.Decode(rest) {
		if strings.HasSuffix(block.Type, "PRIVATE KEY") {
			keys = append(keys, block)
		} else {
			others = append(others, block)
		}
	}
	switch {
	case len(keys) == 1:
		return parseBlock(keys[0])
	case len(keys) > 1:
		return nil, fmt.Sprintf("contains %d private keys: give the one that signs", len(keys))
	case len(others) > 0:
		return nil, "contains no private key, but a " + strings.ToLower(others[0].Type) + ": give the private key that belongs to it"
	}
	return nil, notPEM(text)
}

// notPEM says what a text is that contains no PEM.
func notPEM(text string) string {
	text = strings.TrimSpace(text)
	const asPEM = "is no PEM, which begins with a line such as -----BEGIN PRIVATE KEY-----"
	switch {
	case strings.HasPrefix(text, "-----BEGIN ") && !strings.Contains(text, "\n"):
		return "is a PEM without its line feeds, which something on the way has removed: " +
			`pass them on, or write each of them as \n`
	case strings.Contains(text, "-----BEGIN "):
		return "is a PEM that is damaged or not complete: give it from -----BEGIN to the end of the line with -----END"
	case strings.HasPrefix(text, "LS0tLS1CRUdJTi"): // "-----BEGIN " in base64
		return "is in base64: decode it first (base64decode in Terraform, base64 -d in a shell)"
	case strings.HasPrefix(text, "{"):
		return asPEM + ". A JWK has to be converted to PEM first"
	case len(text) < 256 && strings.ContainsAny(text, `/\.~`):
		return asPEM + `. If it is the name of a file, give what is in it (file("key.pem") in Terraform, $(cat key.pem) in a shell)`
	}
	return asPEM
}

func parseBlock(block *pem.Block) (*PrivateKey, string) {
	var (
		key any
		err error
	)
	switch {
	case block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED"):
		return nil, "is encrypted, and the provider has no passphrase for it: decrypt it (openssl pkey -in key.pem -out decrypted.pem), " +
			"and keep the result in a secret store"
	case block.Type == "OPENSSH PRIVATE KEY":
		return nil, "is in the format of OpenSSH: convert it (ssh-keygen -p -N '' -m PKCS8 -f FILE, on a copy of the file)"
	case block.Type == "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case block.Type == "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case block.Type == "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	default:
		return nil, "is a key of the kind " + strings.ToLower(strings.TrimSuffix(block.Type, " PRIVATE KEY")) + ", which " + wantedKeys
	}
	if err != nil {
		return nil, "cannot be read: it is damaged, or of a kind which " + wantedKeys
	}
	return newPrivateKey(key)
}

const wantedKeys = "does not sign assertions: use RSA (2048 bits or more), EC P-256 or Ed25519"

func newPrivateKey(key any) (*PrivateKey, string) {
	switch key := key.(type) {
	case *rsa.PrivateKey:
		if bits := key.N.BitLen(); bits < minRSABits {
			return nil, fmt.Sprintf("is an RSA key of %d bits: 2048 is the minimum (RFC 7518, section 3.3)", bits)
		}
		return &PrivateKey{key, jose.RS256}, ""
	case *ecdsa.PrivateKey:
		if key.Curve != elliptic.P256() {
			return nil, "is an EC key on the curve " + key.Curve.Params().Name + ": use P-256, which ES256 requires"
		}
		return &PrivateKey{key, jose.ES256}, ""
	case ed25519.PrivateKey:
		return &PrivateKey{key, jose.EdDSA}, ""
	}
	return nil, "is a key which " + wantedKeys
}
