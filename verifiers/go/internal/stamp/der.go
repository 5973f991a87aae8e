// SPDX-License-Identifier: Apache-2.0

package stamp

import (
	"encoding/asn1"
	"math/big"
)

// reader takes DER values off the front of its bytes; after the first fault it gives nothing more.
type reader struct {
	rest []byte
	bad  bool
}

// next is the next value of any kind.
func (r *reader) next() (value asn1.RawValue) {
	if r.bad {
		return value
	}
	rest, err := asn1.Unmarshal(r.rest, &value)
	if err != nil {
		r.bad = true
		return asn1.RawValue{}
	}
	r.rest = rest
	return value
}

func (r *reader) expect(class, tag int, compound bool) asn1.RawValue {
	value := r.next()
	if value.Class != class || value.Tag != tag || value.IsCompound != compound {
		r.bad = true
		return asn1.RawValue{}
	}
	return value
}

// enter is a reader of the contents of a constructed universal value.
func (r *reader) enter(tag int) *reader {
	value := r.expect(asn1.ClassUniversal, tag, true)
	return &reader{rest: value.Bytes, bad: r.bad}
}

// peek says whether the next value has that class and tag.
func (r *reader) peek(class, tag int) bool {
	if r.bad || len(r.rest) == 0 {
		return false
	}
	var value asn1.RawValue
	if _, err := asn1.Unmarshal(r.rest, &value); err != nil {
		return false
	}
	return value.Class == class && value.Tag == tag
}

func (r *reader) oid() string {
	value := r.expect(asn1.ClassUniversal, asn1.TagOID, false)
	var id asn1.ObjectIdentifier
	if r.bad || !whole(value.FullBytes, &id) {
		r.bad = true
		return ""
	}
	return id.String()
}

func (r *reader) integer() *big.Int {
	value := r.expect(asn1.ClassUniversal, asn1.TagInteger, false)
	number := new(big.Int)
	if r.bad || !whole(value.FullBytes, &number) {
		r.bad = true
		return new(big.Int)
	}
	return number
}

func (r *reader) octets() []byte {
	return r.expect(asn1.ClassUniversal, asn1.TagOctetString, false).Bytes
}

// done says that everything was read and nothing was at fault.
func (r *reader) done() bool { return !r.bad && len(r.rest) == 0 }

func whole(data []byte, into any) bool {
	rest, err := asn1.Unmarshal(data, into)
	return err == nil && len(rest) == 0
}

// algorithm is an AlgorithmIdentifier: its OID, and what parameters it has.
func (r *reader) algorithm() string {
	inner := r.enter(asn1.TagSequence)
	id := inner.oid()
	if len(inner.rest) > 0 {
		inner.next()
	}
	if !inner.done() {
		r.bad = true
	}
	return id
}
