// SPDX-License-Identifier: Apache-2.0

package strictjson

import (
	"bytes"
	"math/rand"
	"os"
	"testing"
)

// sameNodes says whether two documents are of the same values; only names that are read as those of records have numbers.
func sameNodes(a, b *Doc) bool {
	if len(a.nodes) != len(b.nodes) {
		return false
	}
	for i := range a.nodes {
		x, y := a.nodes[i], b.nodes[i]
		if x.name = y.name; x != y {
			return false
		}
	}
	return true
}

// TestPlainTexts bends lines: what is read the short way is judged and read as it is the long way.
func TestPlainTexts(t *testing.T) {
	data, err := os.ReadFile("../verify/testdata/first/journal.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSuffix(data, []byte{'\n'}), []byte{'\n'})
	lines = append(lines, []byte(`{"a":[0,-1,9007199254740991,123456789012345,"é","\n\"",[],{},true,null],"bcdefgh":{"abcdefg":"","abcdefgh":"x"},"c":0}`))
	random := rand.New(rand.NewSource(2))
	hostile := []byte("{}[]\",:\\-0123456789.eEtfnu _aZ$\x00\n\x1f\x7f\xc3\xa9\xef\xbf\xbe")
	var short Doc
	accepted := 0
	for range 60_000 {
		text := bytes.Clone(lines[random.Intn(len(lines))])
		for range random.Intn(3) {
			at := random.Intn(len(text))
			switch random.Intn(4) {
			case 0:
				text[at] = hostile[random.Intn(len(hostile))]
			case 1:
				text = append(text[:at], text[at+1:]...)
			case 2:
				text = append(text[:at], append([]byte{hostile[random.Intn(len(hostile))]}, text[at:]...)...)
			case 3:
				text = text[:at+1]
			}
		}
		var long Doc
		a, b := short.Parse(text, Record), long.parse(text, Record, false)
		if (a == nil) != (b == nil) || a != nil && *a != *b {
			t.Fatalf("judged otherwise, %v and %v: %s", a, b, text)
		}
		if a != nil {
			continue
		}
		accepted++
		if !sameNodes(&short, &long) {
			t.Fatalf("read otherwise: %s", text)
		}
		for i := range short.nodes {
			if n := short.nodes[i]; n.nameEnd > 0 && n.name != max(nameIDs[string(text[n.nameStart:n.nameEnd])], unlisted) {
				t.Fatalf("the name at %d has another number: %s", n.nameStart, text)
			}
		}
	}
	if accepted < 15_000 {
		t.Errorf("only %d texts were records", accepted)
	}
}
