// SPDX-License-Identifier: Apache-2.0

package strictjson

import "encoding/binary"

// NameID is a small number for a member's name, by which shapes find it. 0 says nothing of the name.
type NameID uint16

// unlisted is any name that no shape lists.
const unlisted NameID = 1

// MaxNames bounds the names that all shapes together list.
const MaxNames = 1_024

var nameIDs = map[string]NameID{}

// Intern gives the number of a name. It is called while packages are initialised, before anything is read.
func Intern(name string) NameID {
	id, known := nameIDs[name]
	if !known {
		id = unlisted + 1 + NameID(len(nameIDs))
		if id >= MaxNames {
			panic("more names in shapes than MaxNames")
		}
		nameIDs[name] = id
	}
	return id
}

const (
	// maxKnown bounds what a hostile journal can make a Doc remember.
	maxKnown = 4_096
	guesses  = 6
)

// knownName is a name that was read before, with what stood behind it: lines say the same names in the same order.
type knownName struct {
	// text is the name, its closing quote and the colon; head is its first bytes, as far as they reach, under mask.
	text       string
	head, mask uint64
	id         NameID
	next       [guesses]*knownName
	// number tells the names of a Doc apart; above is that of a name from which this one is known to ascend.
	number, above uint64
}

func newKnownName(name []byte, number uint64) *knownName {
	k := &knownName{text: string(name) + `":`, id: max(nameIDs[string(name)], unlisted), number: number}
	var head [wordBytes]byte
	k.mask = ^uint64(0) >> (8 * (wordBytes - copy(head[:], k.text)))
	k.head = binary.LittleEndian.Uint64(head[:])
	return k
}

const wordBytes = 8

func (k *knownName) name() string { return k.text[:len(k.text)-2] }

// guess steps over a name and its colon where it is one that was read before in this place, and above the one before it.
func (p *parser) guess(names *nameCheck) *knownName {
	rest := p.data[p.pos+1:]
	if len(rest) < wordBytes {
		return nil
	}
	head := binary.LittleEndian.Uint64(rest)
	for _, k := range &p.last.next {
		if k == nil {
			return nil
		}
		if head&k.mask != k.head || len(k.text) > wordBytes && !k.goesOn(rest) {
			continue
		}
		if names.known != nil && k.above != names.known.number {
			if names.known.name() >= k.name() {
				return nil
			}
			k.above = names.known.number
		}
		names.any, names.known = true, k
		p.last = k
		p.pos += 1 + len(k.text)
		return k
	}
	return nil
}

// goesOn says whether the text behind the head is there too.
func (k *knownName) goesOn(rest []byte) bool {
	return len(rest) > len(k.text) && string(rest[wordBytes:len(k.text)]) == k.text[wordBytes:]
}

// learn remembers a name that was read the long way.
func (p *parser) learn(name []byte) *knownName {
	d := p.doc
	k, known := d.known[string(name)]
	if !known {
		if d.known == nil || len(d.known) >= maxKnown {
			d.known, p.last = map[string]*knownName{}, &knownName{}
		}
		d.learned++
		k = newKnownName(name, d.learned)
		d.known[string(name)] = k
	}
	next := &p.last.next
	copy(next[1:], next[:guesses-1])
	next[0] = k
	p.last = k
	return k
}
