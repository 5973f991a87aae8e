// SPDX-License-Identifier: Apache-2.0

package stamp

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	_ "crypto/sha256" // registers SHA-256
	_ "crypto/sha512" // registers SHA-384 and SHA-512
	"crypto/x509"
	"encoding/asn1"
)

const (
	oidSignedData     = "1.2.840.113549.1.7.2"
	oidTSTInfo        = "1.2.840.113549.1.9.16.1.4"
	oidContentType    = "1.2.840.113549.1.9.3"
	oidMessageDigest  = "1.2.840.113549.1.9.4"
	oidSigningCert    = "1.2.840.113549.1.9.16.2.12"
	oidSigningCertV2  = "1.2.840.113549.1.9.16.2.47"
	oidRSA            = "1.2.840.113549.1.1.1"
	oidECPublicKey    = "1.2.840.10045.2.1"
	oidP256           = "1.2.840.10045.3.1.7"
	oidP384           = "1.3.132.0.34"
	oidSubjectKeyID   = "2.5.29.14"
	oidBasic          = "2.5.29.19"
	oidExtendedUsage  = "2.5.29.37"
	oidTimeStamping   = "1.3.6.1.5.5.7.3.8"
	oidSHA1           = "1.3.14.3.2.26"
	minRSAModulusBits = 2_048
)

var digestByOID = map[string]crypto.Hash{
	"2.16.840.1.101.3.4.2.1": crypto.SHA256,
	"2.16.840.1.101.3.4.2.2": crypto.SHA384,
	"2.16.840.1.101.3.4.2.3": crypto.SHA512,
}

// signatureByOID names the kind of key and the hash; a hash of zero is the one that the digest algorithm names.
var signatureByOID = map[string]struct {
	key  string
	hash crypto.Hash
}{
	oidRSA:                  {"rsa", 0},
	"1.2.840.113549.1.1.11": {"rsa", crypto.SHA256},
	"1.2.840.113549.1.1.12": {"rsa", crypto.SHA384},
	"1.2.840.113549.1.1.13": {"rsa", crypto.SHA512},
	"1.2.840.10045.4.3.2":   {"ec", crypto.SHA256},
	"1.2.840.10045.4.3.3":   {"ec", crypto.SHA384},
	"1.2.840.10045.4.3.4":   {"ec", crypto.SHA512},
}

func sum(hash crypto.Hash, data []byte) []byte {
	h := hash.New()
	h.Write(data)
	return h.Sum(nil)
}

// signed checks a signature of the certificate's key. known is false for algorithms that v0 does not have.
func (c *certificate) signed(algorithm string, digest crypto.Hash, message, signature []byte) (ok, known bool) {
	scheme, found := signatureByOID[algorithm]
	if !found {
		return false, false
	}
	hash := scheme.hash
	if hash == 0 {
		hash = digest
	}
	if hash == 0 {
		return false, false
	}
	hashed := sum(hash, message)
	switch key := c.key.(type) {
	case *rsa.PublicKey:
		return scheme.key == "rsa" && rsa.VerifyPKCS1v15(key, hash, hashed, signature) == nil, true
	case *ecdsa.PublicKey:
		return scheme.key == "ec" && ecdsa.VerifyASN1(key, hashed, signature), true
	}
	return false, false
}

// publicKey reads a SubjectPublicKeyInfo; nil for a key that v0 does not have.
func publicKey(spki []byte) (key crypto.PublicKey) {
	outer := reader{rest: spki}
	inner := outer.enter(asn1.TagSequence)
	algorithm := inner.enter(asn1.TagSequence)
	id := algorithm.oid()
	switch id {
	case oidRSA:
		parsed, err := x509.ParsePKIXPublicKey(spki)
		if rsaKey, ok := parsed.(*rsa.PublicKey); err == nil && ok && rsaKey.N.BitLen() >= minRSAModulusBits {
			return rsaKey
		}
	case oidECPublicKey:
		parsed, err := x509.ParsePKIXPublicKey(spki)
		ecKey, ok := parsed.(*ecdsa.PublicKey)
		if err == nil && ok && (ecKey.Curve == elliptic.P256() || ecKey.Curve == elliptic.P384()) {
			return ecKey
		}
	}
	return nil
}
