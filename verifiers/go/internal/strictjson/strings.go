// SPDX-License-Identifier: Apache-2.0

package strictjson

import (
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// special marks the bytes at which the scan of a string has to stop and look.
var special = func() (table [256]bool) {
	for i := range table {
		table[i] = i < 0x20 || i == '"' || i == '\\' || i >= 0xEF
	}
	return table
}()

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// specials marks those of eight bytes that may be special ones, the lowest of them rightly. It also marks every byte above 7F,
// where the scan byte by byte decides: most texts of records are ASCII.
func specials(eight uint64) uint64 {
	quote := eight ^ ones*'"'
	slash := eight ^ ones*'\\'
	return ((quote-ones)&^quote | (slash-ones)&^slash | (eight - ones*0x20) | eight) & highs
}

// str reads one string with its quotes and says whether it has escapes.
func (p *parser) str() (ok, escaped bool) {
	data := p.data
	i := p.pos + 1
	for {
		for i+8 <= len(data) && specials(binary.LittleEndian.Uint64(data[i:])) == 0 {
			i += 8
		}
		for i < len(data) && !special[data[i]] {
			i++
		}
		if i >= len(data) {
			p.pos = i
			return p.fail(CodeSyntax), escaped
		}
		switch c := data[i]; {
		case c == '"':
			p.pos = i + 1
			return true, escaped
		case c == '\\':
			escaped = true
			p.pos = i
			if !p.escape() {
				return false, true
			}
			i = p.pos
		case c < 0x20:
			p.pos = i
			return p.fail(CodeSyntax), escaped
		default:
			// The text is valid UTF-8, so a whole rune stands here.
			r, size := utf8.DecodeRune(data[i:])
			if noncharacter(r) {
				p.pos = i
				return p.fail(CodeString), escaped
			}
			i += size
		}
	}
}

// escape reads one escape at the backslash; a surrogate pair is one.
func (p *parser) escape() bool {
	start := p.pos
	if start+1 >= len(p.data) {
		p.pos++
		return p.fail(CodeSyntax)
	}
	switch c := p.data[start+1]; c {
	case '"', '\\', 'b', 'f', 'n', 'r', 't':
		p.pos += 2
		return true
	case '/':
		return p.fail(CodeCanonical)
	case 'u':
	default:
		p.pos++
		return p.fail(CodeSyntax)
	}
	unit, ok := hex4(p.data[start+2:])
	if !ok {
		return p.fail(CodeSyntax)
	}
	if utf16.IsSurrogate(unit) {
		return p.surrogates(unit)
	}
	if noncharacter(unit) {
		return p.fail(CodeString)
	}
	if canonicalUnicodeEscape(p.data[start+2:start+6], unit) {
		p.pos += 6
		return true
	}
	return p.fail(CodeCanonical)
}

// surrogates reads an escape that starts with a surrogate: only a high one with a low one behind it means anything.
func (p *parser) surrogates(high rune) bool {
	rest := p.data[p.pos+6:]
	if len(rest) < 2 || rest[0] != '\\' || rest[1] != 'u' {
		return p.fail(CodeString)
	}
	low, ok := hex4(rest[2:])
	pair := utf16.DecodeRune(high, low)
	if !ok || pair == utf8.RuneError || noncharacter(pair) {
		return p.fail(CodeString)
	}
	return p.fail(CodeCanonical)
}

// canonicalUnicodeEscape: RFC 8785 writes \u00xx in lower case, and only for controls without a short form.
func canonicalUnicodeEscape(digits []byte, unit rune) bool {
	if unit >= 0x20 {
		return false
	}
	switch unit {
	case '\b', '\t', '\n', '\f', '\r':
		return false
	}
	return digits[3] < 'A' || digits[3] > 'F'
}

func hex4(text []byte) (unit rune, ok bool) {
	if len(text) < 4 {
		return 0, false
	}
	for _, c := range text[:4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		unit = unit<<4 | rune(c)
	}
	return unit, true
}

func noncharacter(r rune) bool {
	return r >= 0xFDD0 && r <= 0xFDEF || r&0xFFFE == 0xFFFE
}

// unescape decodes the inside of a string that the parser has accepted.
func unescape(raw []byte) string {
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); {
		if raw[i] != '\\' {
			out = append(out, raw[i])
			i++
			continue
		}
		switch c := raw[i+1]; c {
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			unit, _ := hex4(raw[i+2:])
			i += 4
			if utf16.IsSurrogate(unit) {
				low, _ := hex4(raw[i+4:])
				unit = utf16.DecodeRune(unit, low)
				i += 6
			}
			out = utf8.AppendRune(out, unit)
		default:
			out = append(out, c)
		}
		i += 2
	}
	return string(out)
}
