// SPDX-License-Identifier: Apache-2.0

// Package note reads C2SP signed notes that are checkpoints: three lines, an empty one, signature lines.
package note

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"strings"
	"unicode/utf8"

	"clyra.dev/verifiers/go/internal/shape"
	"clyra.dev/verifiers/go/internal/signing"
)

// Limits of a checkpoint.
const (
	MaxBytes      = 16_384
	MaxSignatures = 32
)

// Signature is one signature line: the name of a key, and its key id with what follows it.
type Signature struct {
	Name    string
	Payload []byte
}

// ID4 is the four bytes that say which key it may be.
func (s Signature) ID4() [4]byte { return [4]byte(s.Payload[:4]) }

// Checkpoint is a note whose text is origin, size and root.
type Checkpoint struct {
	Origin     string
	Size       uint64
	Root       [32]byte
	Signatures []Signature
	// Text is what the log signs: the three lines with their LF.
	Text []byte
	// Sealed is Text, the empty line and the first signature line: what a time-stamp covers.
	Sealed []byte
}

// Parse reads a checkpoint; member says which part of it is at fault when ok is false.
func Parse(data []byte) (c *Checkpoint, member string, ok bool) {
	if len(data) > MaxBytes || !utf8.Valid(data) {
		return nil, "", false
	}
	head, tail, found := bytes.Cut(data, []byte("\n\n"))
	if !found {
		return nil, "", false
	}
	c = &Checkpoint{Text: data[:len(head)+1]}
	lines := strings.Split(string(head), "\n")
	if len(lines) != 3 {
		return nil, "text", false
	}
	if c.Origin = lines[0]; !originText(c.Origin) {
		return nil, "line 1", false
	}
	if c.Size, ok = decimal(lines[1]); !ok {
		return nil, "line 2", false
	}
	root, ok := shape.DecodeBase64([]byte(lines[2]))
	if !ok || len(root) != 32 {
		return nil, "line 3", false
	}
	c.Root = [32]byte(root)
	if len(tail) == 0 || tail[len(tail)-1] != '\n' {
		return nil, "signatures", false
	}
	first := bytes.IndexByte(tail, '\n') + 1
	c.Sealed = data[:len(head)+2+first]
	for line := range bytes.SplitSeq(tail[:len(tail)-1], []byte("\n")) {
		signature, ok := ParseSignature(line)
		if !ok || len(c.Signatures) == MaxSignatures {
			return nil, "signatures", false
		}
		c.Signatures = append(c.Signatures, signature)
	}
	return c, "", true
}

// ParseSignature reads one signature line without its LF.
func ParseSignature(line []byte) (s Signature, ok bool) {
	rest, found := bytes.CutPrefix(line, []byte("— "))
	if !found || utf8.RuneCount(line) > maxLineCharacters {
		return s, false
	}
	name, text, found := strings.Cut(string(rest), " ")
	if !found || name == "" || strings.ContainsRune(name, '+') || strings.ContainsFunc(name, shape.IsSpace) {
		return s, false
	}
	payload, ok := shape.DecodeBase64([]byte(text))
	if !ok || len(payload) < 5 {
		return s, false
	}
	return Signature{name, payload}, true
}

const (
	maxOrigin         = 512
	maxLineCharacters = 1_024
)

// originText: printable ASCII without a plus, which separates the parts of a key's text elsewhere.
func originText(text string) bool {
	for i := 0; i < len(text); i++ {
		if text[i] < '!' || text[i] > '~' || text[i] == '+' {
			return false
		}
	}
	return text != "" && len(text) <= maxOrigin
}

func decimal(text string) (value uint64, ok bool) {
	if text == "" || len(text) > 1 && text[0] == '0' {
		return 0, false
	}
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	value, err := strconv.ParseUint(text, 10, 64)
	return value, err == nil && value <= 1<<53-1
}

// Types of signature lines.
const (
	typeEd25519     = 0x01
	typeCosignature = 0x04
)

// KeyID is the first four bytes of H(name ‖ LF ‖ type ‖ public key).
func keyID(name string, kind byte, key signing.PublicKey) [4]byte {
	digest := sha256.Sum256(append(append([]byte(name), '\n', kind), key[:]...))
	return [4]byte(digest[:4])
}

// LogKeyIs says whether the line's key id is that of the key under the line's name.
func (s Signature) LogKeyIs(key signing.PublicKey) bool {
	return s.ID4() == keyID(s.Name, typeEd25519, key)
}

// LogSigned says whether the line is the key's signature over the text.
func (s Signature) LogSigned(key signing.PublicKey, text []byte) bool {
	return len(s.Payload) == 4+64 && signing.Verify(key, text, s.Payload[4:])
}

// WitnessKeyIs says whether the line's key id is that of the key as a witness.
func (s Signature) WitnessKeyIs(key signing.PublicKey) bool {
	return s.ID4() == keyID(s.Name, typeCosignature, key)
}

const maxSeconds = 253_402_300_799

// WitnessSigned checks a cosignature and gives the second at which the witness says it saw the text.
func (s Signature) WitnessSigned(key signing.PublicKey, text []byte) (seconds int64, ok bool) {
	if len(s.Payload) != 4+8+64 {
		return 0, false
	}
	stamp := binary.BigEndian.Uint64(s.Payload[4:12])
	if stamp > maxSeconds {
		return 0, false
	}
	message := []byte("cosignature/v1\ntime " + strconv.FormatUint(stamp, 10) + "\n")
	return int64(stamp), signing.Verify(key, append(message, text...), s.Payload[12:])
}
