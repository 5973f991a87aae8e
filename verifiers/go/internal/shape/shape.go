// SPDX-License-Identifier: Apache-2.0

// Package shape takes values of known form out of parsed JSON. It remembers the first fault and where it is, and after one
// gives zero values, so that readers need no error check after every member.
package shape

import (
	"encoding/base64"
	"unicode/utf8"

	"clyra.dev/verifiers/go/internal/strictjson"
)

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
