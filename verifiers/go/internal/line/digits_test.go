// SPDX-License-Identifier: Apache-2.0

package line

import (
	"bytes"
	"strings"
	"testing"
)

// TestDigits puts every byte in every place: eight digits at a time are judged as one by one.
func TestDigits(t *testing.T) {
	const hexadecimal = "0123456789abcdef"
	const base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	key := []byte(strings.Repeat(hexadecimal, 2))
	signature := []byte(base64 + base64[:21] + "A==")
	if !hexDigits(key) || !signatureText(signature) {
		t.Fatal("plain digits are refused")
	}
	for char := range 256 {
		for at := range key {
			bent := bytes.Clone(key)
			bent[at] = byte(char)
			if want := strings.IndexByte(hexadecimal, byte(char)) >= 0; hexDigits(bent) != want {
				t.Errorf("hex digit %#x at %d: %v", char, at, !want)
			}
		}
		for at := range signature {
			bent := bytes.Clone(signature)
			bent[at] = byte(char)
			want := strings.IndexByte(base64, byte(char)) >= 0
			if at == 85 {
				want = strings.IndexByte("AQgw", byte(char)) >= 0
			} else if at > 85 {
				want = char == '='
			}
			if signatureText(bent) != want {
				t.Errorf("base64 digit %#x at %d: %v", char, at, !want)
			}
		}
	}
}
