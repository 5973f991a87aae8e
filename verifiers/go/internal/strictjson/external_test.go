// SPDX-License-Identifier: Apache-2.0

package strictjson

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"clyra.dev/verifiers/go/internal/vectors"
)

func TestJSONTestSuite(t *testing.T) {
	verdicts := map[string]string{}
	type verdict struct{ Name, Record string }
	for _, v := range vectors.Lines[verdict](t, "external/json-test-suite/verdicts.jsonl") {
		verdicts[v.Name] = v.Record
	}
	type suiteCase struct {
		Name, Text, End string
		Base64          []byte
		Repeat          int
	}
	cases := vectors.Lines[suiteCase](t, "external/json-test-suite/cases.jsonl")
	for _, c := range cases {
		text := c.Base64
		if c.Repeat > 0 {
			text = []byte(strings.Repeat(c.Text, c.Repeat) + c.End)
		}
		got := "reject"
		if codeOf(`{"a":`+string(text)+`}`, Record) == "" {
			got = "accept"
		}
		if got != verdicts[c.Name] {
			t.Errorf("%s: %s, published %s", c.Name, got, verdicts[c.Name])
		}
	}
	if len(cases) != 340 {
		t.Errorf("%d cases, not 340", len(cases))
	}
	t.Logf("JSONTestSuite: %d cases", len(cases))
}

func TestCanonicalisation(t *testing.T) {
	type example struct{ Name, Input, Output string }
	cases := vectors.Lines[example](t, "external/json-canonicalization/cases.jsonl")
	written := Grammar{MaxBytes: 1 << 20, MaxDepth: MaxDepth, FreeNames: true, FreeNumbers: true}
	for _, c := range cases {
		// Only objects are documents here; others are wrapped.
		if code := codeOf(`{"a":`+c.Output+`}`, written); code != "" {
			t.Errorf("%s: the canonical text is refused: %s", c.Name, code)
		}
		if c.Input != c.Output && codeOf(`{"a":`+c.Input+`}`, written) == "" {
			t.Errorf("%s: another text of the value is accepted as canonical", c.Name)
		}
	}
	t.Logf("RFC 8785: %d triples", len(cases))
}

func TestNumbers(t *testing.T) {
	type plan struct {
		First       []string
		SerialFrom  string `json:"serial_from"`
		SerialCount int    `json:"serial_count"`
		Published   []struct {
			Lines  int
			Sha256 string
		}
	}
	p := vectors.File[plan](t, "external/json-canonicalization/numbers.json")
	const count = 1_000_000
	want := ""
	for _, entry := range p.Published {
		if entry.Lines == count {
			want = entry.Sha256
		}
	}
	sum := sha256.New()
	left := count
	write := func(bits uint64) {
		if left > 0 {
			left--
			fmt.Fprintf(sum, "%x,%s\n", bits, formatNumber(math.Float64frombits(bits)))
		}
	}
	for _, text := range p.First {
		bits, _ := strconv.ParseUint(text, 16, 64)
		write(bits)
	}
	from, _ := strconv.ParseUint(p.SerialFrom, 16, 64)
	for i := range p.SerialCount {
		write(from + uint64(i))
	}
	var block [32]byte
	for left > 0 {
		block = sha256.Sum256(block[:])
		for at := 0; at < 32; at += 8 {
			bits := binary.LittleEndian.Uint64(block[at:])
			if value := math.Float64frombits(bits); value != 0 && !math.IsNaN(value) && !math.IsInf(value, 0) {
				write(bits)
			}
		}
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != want {
		t.Errorf("the hash of %d numbers is %s, published %s", count, got, want)
	}
	t.Logf("ECMAScript numbers: %d", count)
}
