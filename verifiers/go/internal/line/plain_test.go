// SPDX-License-Identifier: Apache-2.0

package line

import (
	"bytes"
	"fmt"
	"math/rand"
	"os"
	"reflect"
	"testing"

	"clyra.dev/verifiers/go/internal/shape"
	"clyra.dev/verifiers/go/internal/strictjson"
)

func journalOf(t *testing.T) [][]byte {
	data, err := os.ReadFile("../verify/testdata/first/journal.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Split(bytes.TrimSuffix(data, []byte{'\n'}), []byte{'\n'})
}

// whole reads the line the long way alone.
func (l *Line) whole(data []byte) bool {
	if l.doc.Parse(data, strictjson.Record) != nil {
		return false
	}
	l.c.Reset()
	l.Kind = -1
	switch root := l.doc.Root(); {
	case root.Get("kind").TextIs("decided"):
		l.Kind = Decided
		l.readDecided(root)
	case root.Get("kind").TextIs("observed"):
		l.Kind = Observed
		l.readObserved(root)
	}
	return l.Kind >= 0 && l.c.OK()
}

// said is all that the rules can see of a line.
func said(l *Line) string {
	var out []any
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		for i := range v.NumField() {
			switch field := v.Field(i).Interface().(type) {
			case strictjson.Value:
				out = append(out, string(field.Raw()))
			case Signature:
				var block Block
				if !field.IsNull() {
					field.Read(&block)
				}
				out = append(out, block, field.IsNull())
			default:
				if v.Field(i).Kind() == reflect.Struct {
					walk(v.Field(i))
				} else {
					out = append(out, field)
				}
			}
		}
	}
	if l.Kind == Decided {
		walk(reflect.ValueOf(l.Change))
		walk(reflect.ValueOf(l.Receipt))
	} else {
		walk(reflect.ValueOf(l.Observation))
	}
	return fmt.Sprint(l.Kind, l.AppendTime, out)
}

// TestPlainLines bends lines: whatever the short way takes, the long way takes too, and reads the same.
func TestPlainLines(t *testing.T) {
	lines := journalOf(t)
	random := rand.New(rand.NewSource(1))
	meaningful := []byte("{}[]\",:\\-0123456789.eEtfn _aZ$\x00\n\x7f\xc3\xa9")
	var short, long Line
	plain := 0
	for range 40_000 {
		text := bytes.Clone(lines[random.Intn(len(lines))])
		at := random.Intn(len(text))
		switch random.Intn(4) {
		case 0:
			text[at] = meaningful[random.Intn(len(meaningful))]
		case 1:
			text = append(text[:at], text[at+1:]...)
		case 2:
			text = append(text[:at], append([]byte{meaningful[random.Intn(len(meaningful))]}, text[at:]...)...)
		}
		if !short.parsePlain(text) {
			continue
		}
		plain++
		if !long.whole(text) {
			t.Fatalf("taken, though the long way refuses it: %s", text)
		}
		if a, b := said(&short), said(&long); a != b {
			t.Fatalf("read otherwise:\n%s\n%s\n%s", text, a, b)
		}
	}
	if plain < 10_000 {
		t.Errorf("only %d lines were plain", plain)
	}
}

func TestSignatureOfManyDigits(t *testing.T) {
	text := `{"index":9007199254740991,"key_id":"00112233445566778899aabbccddeeff","path":[],"sig":"` +
		string(bytes.Repeat([]byte{'A'}, 86)) + `==","size":9007199254740990}`
	var doc strictjson.Doc
	if err := doc.Parse([]byte(text), strictjson.Record); err != nil {
		t.Fatal(err)
	}
	l := Line{c: shape.Checker{}}
	var block Block
	l.checkBlock(doc.Root(), "").Read(&block)
	if !l.c.OK() || block.Index != 9007199254740991 || block.Size != 9007199254740990 || block.KeyID[15] != 0xff {
		t.Errorf("%+v", block)
	}
}
