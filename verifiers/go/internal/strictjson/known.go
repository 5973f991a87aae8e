// SPDX-License-Identifier: Apache-2.0

package strictjson

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
	// text is the name, its closing quote and the colon.
	text string
	id   NameID
	next [guesses]*knownName
	// above is a name that this one is known to ascend from.
	above *knownName
}

func (k *knownName) name() string { return k.text[:len(k.text)-2] }

// guess steps over a name and its colon where it is one that was read before in this place, and above the one before it.
func (p *parser) guess(names *nameCheck) *knownName {
	rest := p.data[p.pos:]
	for _, k := range p.doc.last.next {
		if k == nil {
			return nil
		}
		if len(rest) <= len(k.text) || string(rest[1:1+len(k.text)]) != k.text {
			continue
		}
		if names.any && k.above != names.known {
			if string(names.last) >= k.name() {
				return nil
			}
			k.above = names.known
		}
		names.any, names.known = true, k
		names.last = rest[1 : len(k.text)-1]
		p.doc.last = k
		p.pos += 1 + len(k.text)
		return k
	}
	return nil
}

// learn remembers a name that was read the long way.
func (d *Doc) learn(name []byte) *knownName {
	k, known := d.known[string(name)]
	if !known {
		if d.known == nil || len(d.known) >= maxKnown {
			d.known, d.last = map[string]*knownName{}, &knownName{}
		}
		k = &knownName{text: string(name) + `":`, id: max(nameIDs[string(name)], unlisted)}
		d.known[string(name)] = k
	}
	next := &d.last.next
	copy(next[1:], next[:guesses-1])
	next[0] = k
	d.last = k
	return k
}
