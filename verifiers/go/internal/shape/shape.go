// SPDX-License-Identifier: Apache-2.0

// Package shape takes values of known form out of parsed JSON. It remembers the first fault and where it is, and after one
// gives zero values, so that readers need no error check after every member.
package shape

import (
	"encoding/base64"
	"slices"
	"strings"
	"unicode/utf8"

	"clyra.dev/verifiers/go/internal/strictjson"
)

// Spec is the members of one object.
type Spec struct {
	names    []string
	optional []bool
	open     bool
	// sorted says that the names ascend.
	sorted bool
	// places is where a name stands among them, from 1, by its number.
	places [strictjson.MaxNames]uint8
}

// Closed is an object with exactly these members; a name that ends in "?" may be absent.
func Closed(names ...string) *Spec { return spec(false, names) }

// Open is an object that may have further members, which are ignored.
func Open(names ...string) *Spec { return spec(true, names) }

func spec(open bool, names []string) *Spec {
	s := &Spec{open: open}
	for _, name := range names {
		plain, optional := strings.CutSuffix(name, "?")
		s.names = append(s.names, plain)
		s.optional = append(s.optional, optional)
		s.places[strictjson.Intern(plain)] = uint8(len(s.names))
	}
	s.sorted = slices.IsSorted(s.names)
	return s
}

// Checker reads values and keeps the first fault.
type Checker struct {
	bad  bool
	path string
}

// Reset forgets the fault.
func (c *Checker) Reset() { c.bad, c.path = false, "" }

// OK says that nothing was wrong so far.
func (c *Checker) OK() bool { return !c.bad }

// Path is the member at fault.
func (c *Checker) Path() string { return c.path }

// Fault notes that the member is not of its form.
func (c *Checker) Fault(path, name string) {
	if c.bad {
		return
	}
	c.bad = true
	c.path = Join(path, name)
}

// Join puts a member's name behind its parent's path.
func Join(path, name string) string {
	switch {
	case path == "":
		return name
	case name == "":
		return path
	}
	return path + "." + name
}

// Fields puts the members of an object into out, in the order of the spec; absent optional ones stay zero.
func (c *Checker) Fields(v strictjson.Value, path string, s *Spec, out []strictjson.Value) bool {
	if c.bad {
		return false
	}
	for i := range out {
		out[i] = strictjson.Value{}
	}
	if v.Kind() != strictjson.Object {
		c.Fault(path, "")
		return false
	}
	next := 0
	for member := range v.Each {
		at := -1
		if id := member.NameID(); id != 0 {
			at = int(s.places[id]) - 1
		} else if s.sorted && v.Sorted() {
			next = s.skip(member, next)
			if next < len(s.names) && member.NameIs(s.names[next]) {
				at = next
			}
		} else {
			at = s.find(member, next)
		}
		if at < 0 {
			if s.open {
				continue
			}
			c.Fault(path, member.Name())
			return false
		}
		out[at] = member
		next = at + 1
	}
	for i, name := range s.names {
		if !s.optional[i] && !out[i].Present() {
			c.Fault(path, name)
			return false
		}
	}
	return true
}

// skip passes over the names that stand before the member's: both sides ascend.
func (s *Spec) skip(member strictjson.Value, from int) int {
	for from < len(s.names) && member.NameAbove(s.names[from]) {
		from++
	}
	return from
}

// find looks from the expected place on, since both sides ascend in canonical texts, and then everywhere.
func (s *Spec) find(member strictjson.Value, from int) int {
	for i := from; i < len(s.names); i++ {
		if member.NameIs(s.names[i]) {
			return i
		}
	}
	for i := 0; i < from; i++ {
		if member.NameIs(s.names[i]) {
			return i
		}
	}
	return -1
}

// Int is an integer from lowest to highest.
func (c *Checker) Int(v strictjson.Value, path, name string, lowest, highest int64) int64 {
	number, ok := v.Int()
	if !ok || number < lowest || number > highest {
		c.Fault(path, name)
		return 0
	}
	return number
}

// MaxTime bounds times in milliseconds and everything else that counts.
const MaxTime = strictjson.MaxInteger

// Count is an integer that is not negative.
func (c *Checker) Count(v strictjson.Value, path, name string) int64 {
	return c.Int(v, path, name, 0, strictjson.MaxInteger)
}

// Text is a string of lowest to highest characters.
func (c *Checker) Text(v strictjson.Value, path, name string, lowest, highest int) string {
	text, ok := v.Text()
	if !ok || len(text) < lowest || len(text) > highest && utf8.RuneCountInString(text) > highest {
		c.Fault(path, name)
		return ""
	}
	return text
}

// IsSpace is white space as the format means it: that of ECMAScript, so that verifiers agree.
func IsSpace(r rune) bool {
	switch r {
	case '\t', '\n', '\v', '\f', '\r', ' ', 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000, 0xFEFF:
		return true
	}
	return r >= 0x2000 && r <= 0x200A
}

// Hash is 64 lower-case hex digits.
func (c *Checker) Hash(v strictjson.Value, path, name string) (hash [32]byte) {
	text, ok := v.PlainText()
	if !ok || !DecodeHex(hash[:], text) {
		c.Fault(path, name)
		return [32]byte{}
	}
	return hash
}

// HashOrNull is a hash, or null.
func (c *Checker) HashOrNull(v strictjson.Value, path, name string) (hash [32]byte, present bool) {
	if v.IsNull() {
		return hash, false
	}
	return c.Hash(v, path, name), true
}

// ID is 32 lower-case hex digits.
func (c *Checker) ID(v strictjson.Value, path, name string) (id [16]byte) {
	text, ok := v.PlainText()
	if !ok || !DecodeHex(id[:], text) {
		c.Fault(path, name)
		return [16]byte{}
	}
	return id
}

// Bool is a truth value.
func (c *Checker) Bool(v strictjson.Value, path, name string) bool {
	value, ok := v.Bool()
	if !ok {
		c.Fault(path, name)
	}
	return value
}

// Array says whether v is an array of at most highest elements.
func (c *Checker) Array(v strictjson.Value, path, name string, highest int) bool {
	if v.Kind() != strictjson.Array || v.Len() > highest {
		c.Fault(path, name)
		return false
	}
	return !c.bad
}

// Base64 is the standard base64, padded and without loose bits, of size bytes; any size when size is negative.
func (c *Checker) Base64(v strictjson.Value, path, name string, size int) []byte {
	text, ok := v.PlainText()
	if ok {
		if data, good := DecodeBase64(text); good && (size < 0 || len(data) == size) {
			return data
		}
	}
	c.Fault(path, name)
	return nil
}

// DecodeBase64 is strict: encoding/base64 by itself reads over line ends.
func DecodeBase64(text []byte) (data []byte, ok bool) {
	if len(text)%4 != 0 {
		return nil, false
	}
	for _, char := range text {
		if char == '\n' || char == '\r' {
			return nil, false
		}
	}
	data = make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Strict().Decode(data, text)
	return data[:n], err == nil
}

// DecodeHex reads exactly len(out) bytes of lower-case hex digits.
func DecodeHex(out, text []byte) bool {
	if len(text) != 2*len(out) {
		return false
	}
	for i := range out {
		high, low := hexValue[text[2*i]], hexValue[text[2*i+1]]
		if high|low > 15 {
			return false
		}
		out[i] = high<<4 | low
	}
	return true
}

var hexValue = func() (table [256]byte) {
	for i := range table {
		table[i] = 0xFF
	}
	for i := byte(0); i < 10; i++ {
		table['0'+i] = i
	}
	for i := byte(0); i < 6; i++ {
		table['a'+i] = 10 + i
	}
	return table
}()
