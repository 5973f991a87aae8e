// SPDX-License-Identifier: Apache-2.0

package stamp

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"math/big"
	"time"
)

// certificate is what a time-stamp needs of an X.509 certificate. It is read by hand: which other faults of a certificate
// a library refuses differs from library to library, and verdicts must not.
type certificate struct {
	raw, body  []byte
	issuer     []byte
	subject    []byte
	serial     *big.Int
	from, to   time.Time
	key        crypto.PublicKey
	algorithm  string
	signature  []byte
	authority  bool
	keyID      []byte
	stampsOnly bool
}

// parseCertificate reads one DER certificate.
func parseCertificate(raw []byte) (*certificate, bool) {
	outer := reader{rest: raw}
	c := &certificate{raw: raw}
	inner := outer.enter(asn1.TagSequence)
	body := inner.expect(asn1.ClassUniversal, asn1.TagSequence, true)
	c.body = body.FullBytes
	c.algorithm = inner.algorithm()
	bits := inner.expect(asn1.ClassUniversal, asn1.TagBitString, false)
	if !outer.done() || !inner.done() || len(bits.Bytes) < 1 || bits.Bytes[0] != 0 {
		return nil, false
	}
	c.signature = bits.Bytes[1:]
	return c, c.readBody(&reader{rest: body.Bytes})
}

func (c *certificate) readBody(body *reader) bool {
	if body.peek(asn1.ClassContextSpecific, 0) {
		body.next()
	}
	c.serial = body.integer()
	body.algorithm()
	c.issuer = body.expect(asn1.ClassUniversal, asn1.TagSequence, true).FullBytes
	window := body.enter(asn1.TagSequence)
	c.from, c.to = window.time(), window.time()
	c.subject = body.expect(asn1.ClassUniversal, asn1.TagSequence, true).FullBytes
	c.key = publicKey(body.expect(asn1.ClassUniversal, asn1.TagSequence, true).FullBytes)
	for body.peek(asn1.ClassContextSpecific, 1) || body.peek(asn1.ClassContextSpecific, 2) {
		body.next()
	}
	if body.peek(asn1.ClassContextSpecific, 3) {
		wrapped := reader{rest: body.next().Bytes}
		c.readExtensions(wrapped.enter(asn1.TagSequence))
	}
	return body.done() && window.done()
}

func (c *certificate) readExtensions(list *reader) {
	for !list.bad && len(list.rest) > 0 {
		extension := list.enter(asn1.TagSequence)
		id := extension.oid()
		critical := false
		if extension.peek(asn1.ClassUniversal, asn1.TagBoolean) {
			value := extension.next()
			critical = len(value.Bytes) == 1 && value.Bytes[0] == 0xFF
		}
		content := reader{rest: extension.octets()}
		switch id {
		case oidBasic:
			fields := content.enter(asn1.TagSequence)
			c.authority = fields.peek(asn1.ClassUniversal, asn1.TagBoolean) && bytes.Equal(fields.next().Bytes, []byte{0xFF})
		case oidSubjectKeyID:
			c.keyID = content.octets()
		case oidExtendedUsage:
			usages := content.enter(asn1.TagSequence)
			c.stampsOnly = critical && usages.oid() == oidTimeStamping && usages.done()
		}
	}
}

// time reads a UTCTime or GeneralizedTime in the forms that RFC 5280 allows.
func (r *reader) time() time.Time {
	value := r.next()
	layout := ""
	switch {
	case r.bad || value.Class != asn1.ClassUniversal:
	case value.Tag == asn1.TagUTCTime:
		layout = "060102150405Z"
	case value.Tag == asn1.TagGeneralizedTime:
		layout = "20060102150405Z"
	}
	parsed, err := time.Parse(layout, string(value.Bytes))
	if layout == "" || err != nil || parsed.Format(layout) != string(value.Bytes) {
		r.bad = true
		return time.Time{}
	}
	if value.Tag == asn1.TagUTCTime && parsed.Year() >= 2050 {
		parsed = parsed.AddDate(-100, 0, 0)
	}
	return parsed
}

// issued says whether c is the issuer of other: same name, an authority, and its signature holds. unknown is set when
// algorithm or key are none of v0's.
func (c *certificate) issued(other *certificate, unknown *bool) bool {
	if !bytes.Equal(c.subject, other.issuer) || !c.authority {
		return false
	}
	ok, known := c.signed(other.algorithm, 0, other.body, other.signature)
	*unknown = *unknown || !known
	return ok
}
