// SPDX-License-Identifier: Apache-2.0

package line

import "strings"

// ParsePosition reads X/Y, two groups of 1 to 8 upper-case hex digits, as one number.
func ParsePosition(text string) (position uint64, ok bool) {
	high, low, found := strings.Cut(text, "/")
	x, okX := hexGroup(high)
	y, okY := hexGroup(low)
	return x<<32 | y, found && okX && okY
}

func hexGroup(text string) (value uint64, ok bool) {
	if len(text) < 1 || len(text) > 8 {
		return 0, false
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c >= '0' && c <= '9':
			value = value<<4 | uint64(c-'0')
		case c >= 'A' && c <= 'F':
			value = value<<4 | uint64(c-'A'+10)
		default:
			return 0, false
		}
	}
	return value, true
}
