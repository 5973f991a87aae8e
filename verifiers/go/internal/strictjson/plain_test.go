// SPDX-License-Identifier: Apache-2.0

package strictjson

import (
	"bytes"
	"fmt"
	"math/rand"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
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

func linesOf(t *testing.T) [][]byte {
	data, err := os.ReadFile("../verify/testdata/first/journal.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSuffix(data, []byte{'\n'}), []byte{'\n'})
	return append(lines, []byte(`{"a":[0,-1,9007199254740991,123456789012345,"é","\n\"",[],{},true,null],"bcdefgh":{"abcdefg":"","abcdefgh":"x"},"c":0}`),
		[]byte(`{"a":[1,"x",{"b":null,"c":[[],{}]},"y",true],"d":{"e":{"f":"","g":0}},"h":[]}`),
		// As deep as it may be in a body, and too deep where the body lies deeper.
		[]byte(`{"a":`+strings.Repeat("[", 29)+strings.Repeat("]", 29)+`,"b":0}`))
}

var hostile = []byte("{}[]\",:\\-0123456789.eEtfnu _aZ$\x00\n\x1f\x7f\xc3\xa9\xef\xbf\xbe")

// bend changes a text in one place.
func bend(random *rand.Rand, text []byte) []byte {
	at := random.Intn(len(text))
	switch random.Intn(4) {
	case 0:
		text[at] = hostile[random.Intn(len(hostile))]
	case 1:
		return append(text[:at], text[at+1:]...)
	case 2:
		return append(text[:at], append([]byte{hostile[random.Intn(len(hostile))]}, text[at:]...)...)
	default:
		return text[:at+1]
	}
	return text
}

var scalars = regexp.MustCompile(`"[0-9A-Za-z/._-]+"[,}\]]|[0-9]+[,}\]]`)

// vary gives scalars other values, nearly always of their kind, so that the form stays.
func vary(random *rand.Rand, text []byte) []byte {
	return scalars.ReplaceAllFunc(text, func(was []byte) []byte {
		behind := was[len(was)-1:]
		switch {
		case random.Intn(3) > 0:
			return was
		case (was[0] == '"') == (random.Intn(400) > 0):
			return fmt.Appendf(nil, `"%s"%s`, strings.Repeat("z", random.Intn(20)), behind)
		}
		return fmt.Appendf(nil, "%d%s", random.Int63n(1<<uint(random.Intn(60))), behind)
	})
}

// TestPlainTexts bends lines: what is read the short way is judged and read as it is the long way.
func TestPlainTexts(t *testing.T) {
	lines := linesOf(t)
	random := rand.New(rand.NewSource(2))
	var short Doc
	accepted := 0
	for range 60_000 {
		text := bytes.Clone(lines[random.Intn(len(lines))])
		for range random.Intn(3) {
			text = bend(random, text)
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

// TestForms reads bodies by the forms of those before them: judged and read as by a Doc that has seen nothing yet.
func TestForms(t *testing.T) {
	lines := linesOf(t)
	random := rand.New(rand.NewSource(3))
	var short Doc
	byForm, line := 0, lines[0]
	for range 40_000 {
		if random.Intn(8) == 0 {
			line = lines[random.Intn(len(lines))]
		}
		text := vary(random, bytes.Clone(line))
		if random.Intn(4) == 0 {
			text = bend(random, text)
		}
		if !utf8.Valid(text) {
			continue
		}
		at, depth := random.Intn(9), 3+random.Intn(50)/49
		text = append(bytes.Repeat([]byte{'"'}, at), append(text, `,"sig":null}`...)...)
		var long Doc
		a, okA := short.ParseInside(text, at, depth)
		b, okB := long.ParseInside(text, at, depth)
		if okA != okB || okA && a != b {
			t.Fatalf("judged otherwise, %v at %d and %v at %d: %s", okA, a, okB, b, text)
		}
		if okA && !slices.Equal(short.nodes, long.nodes) {
			t.Fatalf("read otherwise: %s\n%v\n%v", text, short.nodes, long.nodes)
		}
		if okA && (len(short.own) == 0 || &short.nodes[0] != &short.own[0]) {
			byForm++
		}
	}
	if byForm < 4_000 {
		t.Errorf("only %d bodies were read by a form", byForm)
	}
	t.Logf("%d bodies read by a form", byForm)
}
