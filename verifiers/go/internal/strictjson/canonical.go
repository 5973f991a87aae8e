// SPDX-License-Identifier: Apache-2.0

package strictjson

import (
	"sort"
	"strconv"
)

// AppendCanonical writes the RFC 8785 form of a value. Verifying needs it only where the bytes are not at hand already:
// to compute what a record should be. It is also the oracle by which tests judge the parser's flag.
func AppendCanonical(out []byte, v Value) []byte {
	switch v.Kind() {
	case Object:
		members := make([]Value, 0, v.Len())
		for member := range v.Each {
			members = append(members, member)
		}
		sort.Slice(members, func(i, j int) bool { return compareUTF16(members[i].Name(), members[j].Name()) < 0 })
		out = append(out, '{')
		for i, member := range members {
			if i > 0 {
				out = append(out, ',')
			}
			out = append(AppendString(out, member.Name()), ':')
			out = AppendCanonical(out, member)
		}
		return append(out, '}')
	case Array:
		out = append(out, '[')
		first := true
		for element := range v.Each {
			if !first {
				out = append(out, ',')
			}
			first = false
			out = AppendCanonical(out, element)
		}
		return append(out, ']')
	case String:
		text, _ := v.Text()
		return AppendString(out, text)
	case Number:
		value, _ := strconv.ParseFloat(string(v.Raw()), 64)
		return append(out, formatNumber(value)...)
	default:
		return append(out, v.Raw()...)
	}
}

// AppendString writes a string with exactly the escapes of RFC 8785.
func AppendString(out []byte, text string) []byte {
	const hexDigits = "0123456789abcdef"
	out = append(out, '"')
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '"' || c == '\\':
			out = append(out, '\\', c)
		case c >= 0x20:
			out = append(out, c)
		case c == '\b':
			out = append(out, '\\', 'b')
		case c == '\t':
			out = append(out, '\\', 't')
		case c == '\n':
			out = append(out, '\\', 'n')
		case c == '\f':
			out = append(out, '\\', 'f')
		case c == '\r':
			out = append(out, '\\', 'r')
		default:
			out = append(out, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return append(out, '"')
}
