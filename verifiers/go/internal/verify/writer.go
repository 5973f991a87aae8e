// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"clyra.dev/verifiers/go/internal/strictjson"
)

// writer makes canonical JSON; the caller gives the members in order.
type writer struct {
	bytes []byte
	first bool
}

func (w *writer) comma() {
	if !w.first && len(w.bytes) > 0 {
		w.bytes = append(w.bytes, ',')
	}
	w.first = false
}

func (w *writer) begin() { w.bytes, w.first = append(w.bytes, '{'), true }
func (w *writer) close() { w.bytes, w.first = append(w.bytes, '}'), false }

func (w *writer) name(name string) {
	w.comma()
	w.bytes = append(append(append(w.bytes, '"'), name...), '"', ':')
}

func (w *writer) raw(name, value string) {
	w.name(name)
	w.bytes = append(w.bytes, value...)
}

func (w *writer) text(name, value string) {
	w.name(name)
	w.bytes = strictjson.AppendString(w.bytes, value)
}

func (w *writer) number(name string, value int64) {
	w.name(name)
	w.bytes = strconv.AppendInt(w.bytes, value, 10)
}

func (w *writer) hex(name string, value []byte) {
	w.name(name)
	w.bytes = append(hex.AppendEncode(append(w.bytes, '"'), value), '"')
}

func (w *writer) textOrNull(name, value string, present bool) {
	if present {
		w.text(name, value)
	} else {
		w.raw(name, "null")
	}
}

// object writes a member that is an object.
func (w *writer) object(name string, fill func()) {
	w.name(name)
	w.begin()
	fill()
	w.close()
}

// list writes a member that is a list of objects.
func (w *writer) list(name string, count int, fill func(i int)) {
	w.name(name)
	w.bytes = append(w.bytes, '[')
	for i := range count {
		if i > 0 {
			w.bytes = append(w.bytes, ',')
		}
		w.begin()
		fill(i)
		w.close()
	}
	w.bytes, w.first = append(w.bytes, ']'), false
}

// texts is a list of strings.
func texts(items []string) string {
	out := []byte{'['}
	for i, item := range items {
		if i > 0 {
			out = append(out, ',')
		}
		out = strictjson.AppendString(out, item)
	}
	return string(append(out, ']'))
}

func sha256Of(text []byte) [32]byte { return sha256.Sum256(text) }
