// SPDX-License-Identifier: Apache-2.0

package strictjson

import (
	"math"
	"strconv"
)

// MaxInteger is 2^53−1: above it a double no longer tells neighbours apart.
const MaxInteger = 1<<53 - 1

// number reads the run of bytes that could belong to a number and judges it as a whole.
func (p *parser) number() bool {
	data, start := p.data, p.pos
	if start >= len(data) || data[start] != '-' && !isDigit(data[start]) {
		return p.fail(CodeSyntax)
	}
	i := start + 1
	for i < len(data) && numberByte[data[i]] {
		i++
	}
	text := data[start:i]
	if _, ok := plainInteger(text); !ok && !(p.FreeNumbers && p.otherNumber(text)) {
		return p.fail(CodeNumber)
	}
	p.pos = i
	return true
}

var numberByte = func() (table [256]bool) {
	for _, c := range "0123456789+-.eE" {
		table[c] = true
	}
	return table
}()

// otherNumber judges what is no plain integer within the limit: a double in the one form that RFC 8785 has for it.
func (p *parser) otherNumber(text []byte) bool {
	value, err := strconv.ParseFloat(string(text), 64)
	return err == nil && formatNumber(value) == string(text)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// plainInteger reads an integer without fraction, exponent, leading zero or minus zero, within ±(2^53−1).
func plainInteger(text []byte) (int64, bool) {
	digits := text
	negative := len(text) > 0 && text[0] == '-'
	if negative {
		digits = text[1:]
	}
	if len(digits) == 0 || len(digits) > 16 || digits[0] == '0' && (len(digits) > 1 || negative) {
		return 0, false
	}
	var value int64
	for _, c := range digits {
		if !isDigit(c) {
			return 0, false
		}
		value = value*10 + int64(c-'0')
	}
	if value > MaxInteger {
		return 0, false
	}
	if negative {
		value = -value
	}
	return value, true
}

// formatNumber writes a double as ECMAScript does, which is what RFC 8785 asks for.
func formatNumber(value float64) string {
	if value == 0 {
		return "0"
	}
	magnitude := math.Abs(value)
	if magnitude >= 1e-6 && magnitude < 1e21 {
		return strconv.FormatFloat(value, 'f', -1, 64)
	}
	text := strconv.FormatFloat(value, 'e', -1, 64)
	// Go writes at least two digits of exponent, ECMAScript no leading zero.
	mark := len(text) - 1
	for text[mark] != '+' && text[mark] != '-' {
		mark--
	}
	digits := mark + 1
	for digits < len(text)-1 && text[digits] == '0' {
		digits++
	}
	return text[:mark+1] + text[digits:]
}
