// SPDX-License-Identifier: Apache-2.0

package strictjson

import (
	"bytes"
	"unicode/utf16"
)

const maxNameBytes = 64

// plainName says whether a name is one of the record grammar: [a-z][a-z0-9_]{0,63}, $commit or $leaf.
func plainName(name []byte) bool {
	if len(name) == 0 || len(name) > maxNameBytes {
		return false
	}
	if name[0] == '$' {
		return string(name) == "$commit" || string(name) == "$leaf"
	}
	if name[0] < 'a' || name[0] > 'z' {
		return false
	}
	for _, c := range name {
		if !nameByte[c] {
			return false
		}
	}
	return true
}

var nameByte = func() (table [256]bool) {
	for c := range table {
		table[c] = c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_'
	}
	return table
}()

// nameCheck watches the names of one object. As long as they ascend none can repeat, and nothing is kept; the first that
// does not ascend is a fault, or where order is free, from then on all names are in a set.
type nameCheck struct {
	object int
	any    bool
	last   []byte
	// known is the remembered form of the name before, which then stands for last.
	known       *knownName
	lastSpecial bool
	seen        map[string]struct{}
}

// add takes the next name and gives the code of what is wrong with it.
func (c *nameCheck) add(p *parser, start, end int, escaped bool) string {
	name := p.data[start:end]
	special := false
	if !p.FreeNames {
		if escaped || !plainName(name) {
			return CodeName
		}
		if c.seen == nil && (!c.any || c.below(name)) {
			c.any, c.last, c.known = true, name, nil
			if p.plain {
				c.known = p.learn(name)
			}
			return ""
		}
	}
	if p.FreeNames {
		special = escaped || !ascii(name)
		if escaped {
			name = []byte(unescape(name))
		}
	}
	if c.seen == nil {
		if !c.any || c.ascends(name, special) {
			c.any, c.last, c.lastSpecial = true, name, special
			return ""
		}
		if p.Keep != "" {
			return CodeOrder
		}
		c.collect(p.doc)
	}
	key := string(name)
	if _, twice := c.seen[key]; twice {
		return CodeDuplicate
	}
	if !p.FreeForm {
		return CodeOrder
	}
	c.seen[key] = struct{}{}
	return ""
}

// below says whether the name before stands before this one, by bytes.
func (c *nameCheck) below(name []byte) bool {
	if c.known != nil {
		return c.known.name() < string(name)
	}
	return bytes.Compare(c.last, name) < 0
}

// collect puts the names read so far into the set; their values are complete, so the nodes can be walked.
func (c *nameCheck) collect(doc *Doc) {
	c.seen = make(map[string]struct{})
	for i := uint32(c.object) + 1; i < uint32(len(doc.nodes)); i = doc.nodes[i].next {
		n := &doc.nodes[i]
		c.seen[unescape(doc.data[n.nameStart:n.nameEnd])] = struct{}{}
	}
}

func (c *nameCheck) ascends(name []byte, special bool) bool {
	if !special && !c.lastSpecial {
		return c.below(name)
	}
	return compareUTF16(string(c.last), string(name)) < 0
}

// compareUTF16 orders as RFC 8785 asks for: by UTF-16 code units, which differs from the order of the bytes above U+FFFF.
func compareUTF16(a, b string) int {
	x, y := utf16.Encode([]rune(a)), utf16.Encode([]rune(b))
	for i := 0; i < len(x) && i < len(y); i++ {
		if x[i] != y[i] {
			return int(x[i]) - int(y[i])
		}
	}
	return len(x) - len(y)
}

func ascii(text []byte) bool {
	for _, c := range text {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

// CompareText orders two texts by their UTF-16 code units, as every ascending list of the format is.
func CompareText(a, b string) int {
	for i := 0; i < len(a) && i < len(b); i++ {
		if a[i] >= 0x80 || b[i] >= 0x80 {
			return compareUTF16(a, b)
		}
		if a[i] != b[i] {
			return int(a[i]) - int(b[i])
		}
	}
	return len(a) - len(b)
}
