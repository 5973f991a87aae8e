// SPDX-License-Identifier: Apache-2.0

package line

import "encoding/binary"

// Digits are looked at eight at a time: a word has a byte each for eight of them, and what is found of a byte stands in its
// highest bit.
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// between marks the bytes of a word of ASCII that lie from low to high.
func between(word uint64, low, high byte) uint64 {
	return (word + ones*uint64(0x80-low)) &^ (word + ones*uint64(0x7F-high))
}

// hexDigits says whether the text, whose length is a multiple of eight, is nothing but lower-case hex digits.
func hexDigits(text []byte) bool {
	good := uint64(highs)
	for ; len(text) >= 8; text = text[8:] {
		word := binary.LittleEndian.Uint64(text)
		good &= (between(word, '0', '9') | between(word, 'a', 'f')) &^ word
	}
	return good == highs
}

// base64Digits marks the bytes of a word that are digits of the standard base64.
func base64Digits(word uint64) uint64 {
	// Letters of both cases differ in one bit, and '/' stands directly before '0'.
	return (between(word, '/', '9') | between(word|ones*0x20, 'a', 'z') | between(word, '+', '+')) &^ word
}

// signatureText says whether the text is the base64 of 64 bytes: 86 digits, the last of which has four loose bits, and "==".
func signatureText(text []byte) bool {
	if len(text) != 88 || text[86] != '=' || text[87] != '=' {
		return false
	}
	// The last word overlaps the one before it.
	good := base64Digits(binary.LittleEndian.Uint64(text[78:]))
	for at := 0; at < 80; at += 8 {
		good &= base64Digits(binary.LittleEndian.Uint64(text[at:]))
	}
	last := text[85]
	return good&highs == highs && (last == 'A' || last == 'Q' || last == 'g' || last == 'w')
}
