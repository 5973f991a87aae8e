// SPDX-License-Identifier: Apache-2.0

package strictjson

import (
	"encoding/binary"
	"math/bits"
)

// ParseInside reads one object of a record's grammar that begins at a byte of a record, so deep, and gives the byte behind it;
// ok is false when there is none, or it has a fault. The record is UTF-8, which the caller has seen to.
func (d *Doc) ParseInside(record []byte, at, depth int) (end int, ok bool) {
	d.data, d.kept, d.sorted = record, nil, true
	if end = d.readForm(record, at, depth); end > 0 {
		return end, true
	}
	d.nodes = d.own[:0]
	p := parser{Grammar: Record, doc: d, data: record, pos: at, plain: true}
	p.begin()
	ok = p.peek() == '{' && p.value(depth, 0, 0, false)
	d.last, d.own = p.last, d.nodes
	if ok {
		d.remember(at, p.pos, depth)
	}
	return p.pos, ok
}

// named reads the value of a member whose name and colon were read.
func (p *parser) named(depth, start int, k *knownName) bool {
	at, nameEnd := len(p.doc.nodes), start+len(k.text)-2
	if p.plainScalar(start, nameEnd, k.id) {
		return true
	}
	if !p.value(depth+1, start, nameEnd, false) {
		return false
	}
	p.doc.nodes[at].name = k.id
	return true
}

// plainScalar reads a value as what most values of records are: a text of ASCII without escapes, or a short count. Anything
// else it leaves where it stands, for value to read and to judge.
func (p *parser) plainScalar(nameStart, nameEnd int, name NameID) bool {
	from := p.pos
	end, kind := plainEnd(p.data, from)
	if end == 0 {
		return false
	}
	n := p.doc.more()
	n.start, n.end, n.nameStart, n.nameEnd = uint32(from), uint32(end), uint32(nameStart), uint32(nameEnd)
	n.next, n.kind, n.name = uint32(len(p.doc.nodes)), kind, name
	p.pos = end
	return true
}

// plainEnd is the place behind a plain scalar; 0 where there is none.
func plainEnd(data []byte, from int) (end int, kind Kind) {
	if from >= len(data) {
		return 0, Null
	}
	if c := data[from]; c == '"' {
		return plainTextEnd(data, from+1), String
	} else if c-'0' < 10 {
		return plainCountEnd(data, from), Number
	}
	return 0, Null
}

// plainTextEnd is the place behind the closing quote of a text that has nothing but ASCII above 1F in it and no backslash; 0 where
// there is something else, or too little behind the quote to tell.
func plainTextEnd(data []byte, from int) int {
	for ; from+8 <= len(data); from += 8 {
		marked := specials(binary.LittleEndian.Uint64(data[from:]))
		if marked == 0 {
			continue
		}
		// The lowest mark is of a byte that is special indeed.
		from += bits.TrailingZeros64(marked) / 8
		if data[from] != '"' {
			return 0
		}
		return from + 1
	}
	return 0
}

// surely is how many digits are always within the limit of integers.
const surely = 15

// plainCountEnd is the place behind a count of few digits; 0 where it may be another number, or none.
func plainCountEnd(data []byte, from int) int {
	end := from
	for end < len(data) && data[end]-'0' < 10 {
		end++
	}
	if end == len(data) || numberByte[data[end]] || end-from > surely || data[from] == '0' && end-from > 1 {
		return 0
	}
	return end
}
