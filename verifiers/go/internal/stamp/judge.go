// SPDX-License-Identifier: Apache-2.0

package stamp

import (
	"bytes"
	"crypto"
	"crypto/sha1" //nolint:gosec // RFC 2634's signingCertificate has no other hash; it only names a certificate that is checked itself.
	"crypto/sha256"
	"encoding/asn1"
	"time"

	"clyra.dev/verifiers/go/internal/trust"
)

const (
	maxChain    = 5
	beforeCutMS = 300_000
	unsupported = true
)

// Verdict is what one token says.
type Verdict struct {
	// Code is empty for a token that counts; CodeUntrusted is a foreign one and no failure.
	Code        string
	Unsupported bool
	Operator    string
	// UpperBound is the latest moment, in milliseconds, at which the checkpoint can have come to be.
	UpperBound int64
}

// Judge reads one token over the sealed checkpoint of a bundle whose cut was appended at cutTime.
func Judge(data, sealed []byte, authorities []trust.Authority, cutTime int64) Verdict {
	t, ok := parse(data)
	if !ok {
		return Verdict{Code: CodeToken}
	}
	if digestByOID[t.imprintHash] != crypto.SHA256 {
		return Verdict{Code: CodeAlgorithm, Unsupported: unsupported}
	}
	if digest := sha256.Sum256(sealed); !bytes.Equal(t.imprint, digest[:]) {
		return Verdict{Code: CodeImprint}
	}
	signer, verdict := t.signer()
	if signer == nil {
		return verdict
	}
	good, known := signer.signed(t.signatureID, t.digest, t.attributes, t.signature)
	if !known {
		return Verdict{Code: CodeAlgorithm, Unsupported: unsupported}
	}
	if !good {
		return Verdict{Code: CodeSignature}
	}
	chain, authority, unknown := t.chain(signer, authorities)
	if unknown {
		return Verdict{Code: CodeAlgorithm, Unsupported: unsupported}
	}
	if authority == nil {
		return Verdict{Code: CodeUntrusted}
	}
	if !signer.stampsOnly {
		return Verdict{Code: CodePurpose}
	}
	if !t.inWindows(chain, authority) {
		return Verdict{Code: CodeWindow}
	}
	upper := t.genTime.Add(t.accuracy).Add(time.Millisecond - 1).UnixMilli()
	if upper < cutTime-beforeCutMS {
		return Verdict{Code: CodeBeforeCut}
	}
	return Verdict{Operator: authority.Operator, UpperBound: upper}
}

// signer is the certificate that the signed attributes and the SignerInfo both name.
func (t *token) signer() (*certificate, Verdict) {
	bad := Verdict{Code: CodeToken}
	var id asn1.ObjectIdentifier
	if !whole(t.attributeValues[oidContentType], &id) || id.String() != oidTSTInfo {
		return nil, bad
	}
	if t.digest == 0 {
		return nil, Verdict{Code: CodeAlgorithm, Unsupported: unsupported}
	}
	digest := reader{rest: t.attributeValues[oidMessageDigest]}
	if value := digest.octets(); !digest.done() || !bytes.Equal(value, sum(t.digest, t.content)) {
		return nil, bad
	}
	var found *certificate
	for _, candidate := range t.certificates {
		if t.signerIs(candidate) {
			found = candidate
			break
		}
	}
	if found == nil {
		return nil, bad
	}
	return t.checkNamed(found)
}

// checkNamed holds the certificate against the hashes in signingCertificate and signingCertificateV2.
func (t *token) checkNamed(signer *certificate) (*certificate, Verdict) {
	bad := Verdict{Code: CodeToken}
	v1, v2 := t.attributeValues[oidSigningCert], t.attributeValues[oidSigningCertV2]
	if v1 == nil && v2 == nil {
		return nil, bad
	}
	if v1 != nil {
		hash := sha1.Sum(signer.raw)
		first := firstCertID(v1)
		if value := first.octets(); first.bad || !bytes.Equal(value, hash[:]) {
			return nil, bad
		}
	}
	if v2 != nil {
		hash := crypto.SHA256
		first := firstCertID(v2)
		if first.peek(asn1.ClassUniversal, asn1.TagSequence) {
			if hash = digestByOID[first.algorithm()]; !first.bad && hash == 0 {
				return nil, Verdict{Code: CodeAlgorithm, Unsupported: unsupported}
			}
		}
		if value := first.octets(); first.bad || !bytes.Equal(value, sum(hash, signer.raw)) {
			return nil, bad
		}
	}
	return signer, Verdict{}
}

// firstCertID is a reader of the first ESSCertID of the attribute's value.
func firstCertID(value []byte) *reader {
	outer := reader{rest: value}
	return outer.enter(asn1.TagSequence).enter(asn1.TagSequence).enter(asn1.TagSequence)
}

func (t *token) signerIs(c *certificate) bool {
	switch {
	case t.signerID.Class == asn1.ClassContextSpecific && t.signerID.Tag == 0:
		return c.keyID != nil && bytes.Equal(t.signerID.Bytes, c.keyID)
	case t.signerID.Class == asn1.ClassUniversal && t.signerID.Tag == asn1.TagSequence:
		fields := reader{rest: t.signerID.Bytes}
		issuer := fields.expect(asn1.ClassUniversal, asn1.TagSequence, true)
		serial := fields.integer()
		return fields.done() && bytes.Equal(issuer.FullBytes, c.issuer) && serial.Cmp(c.serial) == 0
	}
	return false
}

// chain goes from the signer up to a certificate of the trust root, or to one that such a certificate issued.
func (t *token) chain(signer *certificate, authorities []trust.Authority) (members []*certificate, by *trust.Authority, unknown bool) {
	chain := []*certificate{signer}
	for {
		last := chain[len(chain)-1]
		for i := range authorities {
			if bytes.Equal(authorities[i].Certificate, last.raw) {
				return chain, &authorities[i], false
			}
		}
		if len(chain) == maxChain {
			return nil, nil, false
		}
		for i := range authorities {
			if root, ok := parseCertificate(authorities[i].Certificate); ok && root.issued(last, &unknown) {
				return append(chain, root), &authorities[i], false
			}
			if unknown {
				return nil, nil, true
			}
		}
		issuer := t.issuerOf(last, chain, &unknown)
		if issuer == nil || unknown {
			return nil, nil, unknown
		}
		chain = append(chain, issuer)
	}
}

func (t *token) issuerOf(c *certificate, chain []*certificate, unknown *bool) *certificate {
	for _, candidate := range t.certificates {
		used := false
		for _, member := range chain {
			used = used || bytes.Equal(member.raw, candidate.raw)
		}
		if !used && candidate.issued(c, unknown) {
			return candidate
		}
	}
	return nil
}

func (t *token) inWindows(chain []*certificate, authority *trust.Authority) bool {
	for _, member := range chain {
		if t.genTime.Before(member.from) || t.genTime.After(member.to) {
			return false
		}
	}
	from, to := time.UnixMilli(authority.From), time.UnixMilli(authority.To)
	if t.genTime.Before(from) || t.genTime.After(to) {
		return false
	}
	return !authority.Revoked || t.genTime.Before(time.UnixMilli(authority.RevokedAt))
}
