// SPDX-License-Identifier: Apache-2.0

// Package stamp reads RFC 3161 tokens by docs/spec/trust.md §6: what was stamped, when, by whom, and whether the reader's
// trust root takes that authority's word.
package stamp

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"math/big"
	"time"
)

// Codes of tokens.
const (
	CodeToken     = "CLY_TIME_TOKEN"
	CodeAlgorithm = "CLY_TIME_ALGORITHM"
	CodeImprint   = "CLY_TIME_IMPRINT"
	CodeSignature = "CLY_TIME_SIGNATURE"
	CodePurpose   = "CLY_TSA_PURPOSE"
	CodeWindow    = "CLY_TSA_WINDOW"
	CodeUntrusted = "CLY_TSA_UNTRUSTED"
	CodeBeforeCut = "CLY_TIME_BEFORE_CUT"
)

const maxCertificates = 8

// token is what a TimeStampResp holds.
type token struct {
	content      []byte
	certificates []*certificate

	signerID        asn1.RawValue
	digest          crypto.Hash
	digestID        string
	attributes      []byte
	signatureID     string
	signature       []byte
	imprintHash     string
	imprint         []byte
	genTime         time.Time
	accuracy        time.Duration
	attributeValues map[string][]byte
}

// parse reads the response without judging what it says.
func parse(data []byte) (*token, bool) {
	t := &token{}
	outer := reader{rest: data}
	response := outer.enter(asn1.TagSequence)
	status := response.enter(asn1.TagSequence)
	if code := status.integer(); status.bad || code.Sign() < 0 || code.Cmp(big.NewInt(1)) > 0 {
		return nil, false
	}
	info := response.enter(asn1.TagSequence)
	if info.oid() != oidSignedData || !outer.done() || !response.done() {
		return nil, false
	}
	wrapped := reader{rest: info.expect(asn1.ClassContextSpecific, 0, true).Bytes}
	signed := wrapped.enter(asn1.TagSequence)
	if !info.done() || !wrapped.done() || !t.readSignedData(signed) {
		return nil, false
	}
	return t, t.readInfo()
}

func (t *token) readSignedData(r *reader) bool {
	if r.integer().Cmp(big.NewInt(3)) != 0 {
		return false
	}
	r.enter(asn1.TagSet)
	content := r.enter(asn1.TagSequence)
	if content.oid() != oidTSTInfo {
		return false
	}
	explicit := reader{rest: content.expect(asn1.ClassContextSpecific, 0, true).Bytes}
	t.content = explicit.octets()
	if !content.done() || !explicit.done() || !r.peek(asn1.ClassContextSpecific, 0) {
		return false
	}
	list := reader{rest: r.next().Bytes}
	for !list.bad && len(list.rest) > 0 {
		raw := list.next()
		parsed, ok := parseCertificate(raw.FullBytes)
		if !ok || len(t.certificates) == maxCertificates {
			return false
		}
		t.certificates = append(t.certificates, parsed)
	}
	if r.peek(asn1.ClassContextSpecific, 1) {
		r.next()
	}
	signers := r.enter(asn1.TagSet)
	ok := t.readSigner(signers.enter(asn1.TagSequence))
	return ok && signers.done() && r.done() && !list.bad && len(t.certificates) > 0
}

func (t *token) readSigner(r *reader) bool {
	r.integer()
	t.signerID = r.next()
	t.digestID = r.algorithm()
	t.digest = digestByOID[t.digestID]
	if !r.peek(asn1.ClassContextSpecific, 0) {
		return false
	}
	attributes := r.next()
	t.attributes = bytes.Clone(attributes.FullBytes)
	t.signatureID = r.algorithm()
	t.signature = r.octets()
	if r.peek(asn1.ClassContextSpecific, 1) {
		r.next()
	}
	if !r.done() || len(t.attributes) == 0 {
		return false
	}
	// What is signed is the same list under the tag of a SET OF.
	t.attributes[0] = 0x31
	return t.readAttributes(&reader{rest: attributes.Bytes})
}

// readAttributes keeps each attribute's only value; one that stands twice, or has not exactly one value, is a fault.
func (t *token) readAttributes(list *reader) bool {
	t.attributeValues = map[string][]byte{}
	for !list.bad && len(list.rest) > 0 {
		attribute := list.enter(asn1.TagSequence)
		id := attribute.oid()
		values := attribute.enter(asn1.TagSet)
		value := values.next()
		if _, twice := t.attributeValues[id]; twice || !values.done() || !attribute.done() {
			return false
		}
		t.attributeValues[id] = value.FullBytes
	}
	return !list.bad
}

// readInfo reads the TSTInfo.
func (t *token) readInfo() bool {
	outer := reader{rest: t.content}
	info := outer.enter(asn1.TagSequence)
	version := info.integer()
	info.oid()
	imprint := info.enter(asn1.TagSequence)
	t.imprintHash = imprint.algorithm()
	t.imprint = imprint.octets()
	info.integer()
	stamp := info.expect(asn1.ClassUniversal, asn1.TagGeneralizedTime, false)
	var ok bool
	if t.genTime, ok = parseGenTime(string(stamp.Bytes)); !ok || version.Cmp(big.NewInt(1)) != 0 || !imprint.done() {
		return false
	}
	if info.peek(asn1.ClassUniversal, asn1.TagSequence) && !t.readAccuracy(info.enter(asn1.TagSequence)) {
		return false
	}
	if info.peek(asn1.ClassUniversal, asn1.TagBoolean) {
		info.next()
	}
	if info.peek(asn1.ClassUniversal, asn1.TagInteger) {
		info.integer()
	}
	if info.peek(asn1.ClassContextSpecific, 0) {
		info.next()
	}
	if info.peek(asn1.ClassContextSpecific, 1) && hasCritical(reader{rest: info.next().Bytes}) {
		return false
	}
	return info.done() && outer.done()
}

func hasCritical(list reader) bool {
	for !list.bad && len(list.rest) > 0 {
		extension := list.enter(asn1.TagSequence)
		extension.oid()
		if extension.peek(asn1.ClassUniversal, asn1.TagBoolean) {
			return true
		}
		extension.octets()
		if !extension.done() {
			return true
		}
	}
	return list.bad
}

func (t *token) readAccuracy(r *reader) bool {
	small := func(content []byte, lowest, highest int64) time.Duration {
		inner := reader{rest: append([]byte{asn1.TagInteger, byte(len(content))}, content...)}
		number := inner.integer()
		if len(content) > 8 || !inner.done() || !number.IsInt64() || number.Int64() < lowest || number.Int64() > highest {
			r.bad = true
			return 0
		}
		return time.Duration(number.Int64())
	}
	if r.peek(asn1.ClassUniversal, asn1.TagInteger) {
		t.accuracy += small(r.next().Bytes, 0, 1<<31) * time.Second
	}
	if r.peek(asn1.ClassContextSpecific, 0) {
		t.accuracy += small(r.next().Bytes, 1, 999) * time.Millisecond
	}
	if r.peek(asn1.ClassContextSpecific, 1) {
		t.accuracy += small(r.next().Bytes, 1, 999) * time.Microsecond
	}
	return r.done()
}

// parseGenTime reads YYYYMMDDhhmmss[.f…]Z with 1 to 9 digits of fraction, the last of which is not 0.
func parseGenTime(text string) (time.Time, bool) {
	layout := "20060102150405Z"
	if digits := len(text) - len(layout) - 1; digits >= 0 {
		if digits < 1 || digits > 9 || text[14] != '.' || text[len(text)-2] == '0' {
			return time.Time{}, false
		}
		layout = "20060102150405." + "000000000"[:digits] + "Z"
	}
	parsed, err := time.Parse(layout, text)
	return parsed, err == nil && parsed.Format(layout) == text
}
