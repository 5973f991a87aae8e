// SPDX-License-Identifier: Apache-2.0

package line

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"

	"clyra.dev/verifiers/go/internal/strictjson"
)

// MaxPath is the longest audit path of a signature block.
const MaxPath = 10

// Signature is the text of a signature block, whose form is known: all of its members, in their one order. The zero Signature
// is null.
type Signature struct{ text []byte }

// IsNull says that nothing is signed.
func (s Signature) IsNull() bool { return s.text == nil }

const (
	beforeKey  = `,"key_id":"`
	beforePath = `","path":[`
	beforeSig  = `],"sig":"`
	beforeSize = `","size":`
)

// KeyText is the id of the key that signed, as it stands in the block.
func (s Signature) KeyText() []byte {
	at := len(`{"index":`) + bytes.IndexByte(s.text[len(`{"index":`):], ',') + len(beforeKey)
	return s.text[at : at+32]
}

// KeyID is the id of the key that signed.
func (s Signature) KeyID() (id [16]byte) {
	_, _ = hex.Decode(id[:], s.KeyText())
	return id
}

// Block is a signature block.
type Block struct {
	Index, Size int64
	KeyID       [16]byte
	Path        [MaxPath][32]byte
	PathLength  int
	Signature   [64]byte
}

// Read takes the block apart.
func (s Signature) Read(b *Block) {
	cursor := plainText{data: s.text, pos: len(`{"index":`)}
	b.Index, _ = cursor.count(atMost)
	cursor.pos += len(beforeKey)
	_, _ = hex.Decode(b.KeyID[:], s.text[cursor.pos:cursor.pos+32])
	cursor.pos += 32 + len(beforePath)
	for b.PathLength = 0; cursor.takes(`"`); b.PathLength++ {
		_, _ = hex.Decode(b.Path[b.PathLength][:], s.text[cursor.pos:cursor.pos+64])
		cursor.pos += 65
		cursor.takes(",")
	}
	cursor.pos += len(beforeSig)
	_, _ = base64.StdEncoding.Decode(b.Signature[:], s.text[cursor.pos:cursor.pos+88])
	cursor.pos += 88 + len(beforeSize)
	b.Size, _ = cursor.count(atMost)
}

// plainText is a place in the text of a line that is read as what it nearly always is.
type plainText struct {
	data []byte
	pos  int
}

// takes steps over exactly this text, or stays.
func (p *plainText) takes(text string) bool {
	rest := p.data[p.pos:]
	if len(rest) < len(text) || string(rest[:len(text)]) != text {
		return false
	}
	p.pos += len(text)
	return true
}

// surely is how many digits are always within the limit of integers, atMost how many that limit has.
const surely, atMost = 15, 16

// count reads an integer that is not negative, of so many digits at most.
func (p *plainText) count(most int) (number int64, ok bool) {
	from := p.pos
	for p.pos < len(p.data) && p.data[p.pos]-'0' < 10 {
		number = number*10 + int64(p.data[p.pos]-'0')
		p.pos++
		if p.pos-from > most {
			return 0, false
		}
	}
	return number, p.pos == from+1 || p.pos > from && p.data[from] != '0'
}

// hex steps over so many hex digits; a multiple of eight.
func (p *plainText) hex(length int) bool {
	rest := p.data[p.pos:]
	if len(rest) < length || !hexDigits(rest[:length]) {
		return false
	}
	p.pos += length
	return true
}

// block reads a block of the one form that blocks have.
func (p *plainText) block() (s Signature, ok bool) {
	from := p.pos
	if !p.takes(`{"index":`) {
		return s, false
	}
	if _, ok = p.count(surely); !ok || !p.takes(beforeKey) || !p.hex(32) || !p.takes(beforePath) {
		return s, false
	}
	for length := 0; p.takes(`"`); length++ {
		if length == MaxPath || !p.hex(64) || !p.takes(`"`) {
			return s, false
		}
		// A comma stands between two, so that behind the last one the list ends.
		if p.takes(",") != (p.pos < len(p.data) && p.data[p.pos] == '"') {
			return s, false
		}
	}
	if !p.takes(beforeSig) || len(p.data)-p.pos < 88 || !signatureText(p.data[p.pos:p.pos+88]) {
		return s, false
	}
	p.pos += 88
	if !p.takes(beforeSize) {
		return s, false
	}
	if _, ok = p.count(surely); !ok || !p.takes("}") {
		return s, false
	}
	return Signature{p.data[from:p.pos]}, true
}

// body reads a body with its block, or null where that may stand.
func (p *plainText) body(doc *strictjson.Doc, mayLackBlock bool) (value strictjson.Value, sig Signature, ok bool) {
	end, ok := doc.ParseInside(p.data, p.pos, bodyDepth)
	if !ok {
		return value, sig, false
	}
	p.pos = end
	if !p.takes(`,"sig":`) {
		return value, sig, false
	}
	if !mayLackBlock || !p.takes("null") {
		sig, ok = p.block()
	}
	return doc.Root(), sig, ok
}

const bodyDepth = 3
