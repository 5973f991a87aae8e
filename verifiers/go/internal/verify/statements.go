// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"encoding/hex"
	"strconv"
	"strings"

	"clyra.dev/verifiers/go/internal/manifest"
	"clyra.dev/verifiers/go/internal/report"
	"clyra.dev/verifiers/go/internal/shape"
	"clyra.dev/verifiers/go/internal/strictjson"
)

func member(name string, rule shape.Rule) shape.Member { return shape.Member{Name: name, Rule: rule} }

var replayRule = shape.Object(
	member("compared", shape.List(1<<16, shape.Object(member("count", shape.Count), member("what", shape.Text)))),
	member("engine", shape.Count),
	member("first_difference", shape.OrNull(shape.Object(member("leaf", shape.OrNull(shape.Count)), member("member", shape.Text)))),
	member("inputs", shape.List(1<<16, shape.Digest)),
	member("kind", shape.OneOf("reperformance", "data")),
	member("not_compared", shape.List(1<<16, shape.Object(member("code", shape.Text), member("count", shape.Count), member("first", shape.Text)))),
	member("origin", shape.Text),
	member("performer", shape.Object(member("name", shape.Text), member("version", shape.Text))),
	member("range", shape.Object(member("end", shape.Count), member("start", shape.Count))),
	member("result", shape.OneOf("success", "partial", "failed")),
)

const replayType = "https://clyra.dev/replay/v0"

// judgeReplay is E18.
func (v *verifier) judgeReplay() error {
	if v.man.Export || !v.has(replayFile) {
		v.rep.Note(report.Reperformance, report.Absent, "CLY_REPERFORMANCE_ABSENT", nil)
		return nil
	}
	data, err := v.bundle.ReadAll(replayFile)
	if err != nil {
		return err
	}
	at := report.In(replayFile, "")
	statement, _, ok := manifest.ParseStatement(data)
	if !ok || statement.PredicateType != replayType || !replayRule.Is(statement.Predicate) || !isReplayOrdered(statement.Predicate) {
		v.rep.Fail(report.Reperformance, "CLY_REPLAY_SHAPE", at)
		return nil
	}
	if !v.replayAgrees(statement) {
		v.rep.Fail(report.Reperformance, "CLY_REPLAY_AGREEMENT", at)
		return nil
	}
	if v.root == nil {
		v.rep.Note(report.Reperformance, report.Absent, "CLY_TRUST_ROOT_ABSENT", nil)
		return nil
	}
	if code := v.statementCode(statement.Signed, statement.Signature, []string{"attestor"}); code != "" {
		v.rep.Fail(report.Reperformance, code, at)
		return nil
	}
	switch predicate := statement.Predicate; {
	case predicate.Get("result").TextIs("failed"):
		v.rep.Fail(report.Reperformance, "CLY_REPLAY_FAILED", at)
	case predicate.Get("result").TextIs("partial"):
		v.rep.Note(report.Reperformance, report.Partial, "CLY_REPLAY_PARTIAL", at)
	case predicate.Get("kind").TextIs("data"):
		v.rep.Note(report.Reperformance, report.Partial, "CLY_REPLAY_DATA", at)
	}
	return nil
}

func isReplayOrdered(predicate strictjson.Value) bool {
	return rising(predicate.Get("compared"), "what") && rising(predicate.Get("not_compared"), "code") && rising(predicate.Get("inputs"), "")
}

// rising tells whether the entries, or the named text of each, rise without repeats.
func rising(list strictjson.Value, member string) bool {
	last, any := "", false
	for entry := range list.Each {
		if member != "" {
			entry = entry.Get(member)
		}
		text, _ := entry.Text()
		if any && strictjson.CompareText(last, text) >= 0 {
			return false
		}
		last, any = text, true
	}
	return true
}

func (v *verifier) replayAgrees(s *manifest.Statement) bool {
	root := v.man.Doc.Root()
	for _, name := range []string{"range", "origin", "engine"} {
		if !bytes.Equal(s.Predicate.Get(name).Raw(), root.Get(name).Raw()) {
			return false
		}
	}
	result := s.Predicate.Get("result")
	if s.Predicate.Get("first_difference").IsNull() == result.TextIs("failed") {
		return false
	}
	complete := s.Predicate.Get("not_compared").Len() == 0
	if result.TextIs("success") && !complete || result.TextIs("partial") && complete {
		return false
	}
	return s.Subject == v.man.Digest
}

const maxDisclosureBytes = 16_777_216

// disclosure opens one commitment of one body.
type disclosure struct {
	leaf    int64
	part    string
	pointer string
	salt    [16]byte
	value   []byte
}

var disclosureShape = shape.Closed("leaf", "part", "pointer", "salt", "v", "value")

// parseDisclosures reads a disclosures file.
func parseDisclosures(data []byte) ([]disclosure, bool) {
	if len(data) > maxDisclosureBytes || len(data) > 0 && data[len(data)-1] != '\n' {
		return nil, false
	}
	list := []disclosure{}
	for len(data) > 0 {
		text, rest, _ := bytes.Cut(data, []byte{'\n'})
		data = rest
		var doc strictjson.Doc
		var c shape.Checker
		var f [6]strictjson.Value
		if doc.Parse(text, strictjson.Record) != nil || !c.Fields(doc.Root(), "", disclosureShape, f[:]) {
			return nil, false
		}
		d := disclosure{leaf: c.Count(f[0], "", "leaf"), pointer: c.Text(f[2], "", "pointer", 0, 1<<16), value: f[5].Raw()}
		d.part, _ = f[1].Text()
		shape.OneOf("change", "receipt", "observation")(&c, f[1], "", "part")
		d.salt = c.ID(f[3], "", "salt")
		c.Int(f[4], "", "v", 0, 0)
		if !c.OK() || len(list) > 0 && !list[len(list)-1].before(d) {
			return nil, false
		}
		list = append(list, d)
	}
	return list, true
}

func (d disclosure) before(next disclosure) bool {
	if d.leaf != next.leaf {
		return d.leaf < next.leaf
	}
	if d.part != next.part {
		return strictjson.CompareText(d.part, next.part) < 0
	}
	return strictjson.CompareText(d.pointer, next.pointer) < 0
}

// opens says whether the commitment is that of the disclosed value.
func (d disclosure) opens(commitment strictjson.Value) bool {
	text := append([]byte("clyra/commit/v0\n"), d.salt[:]...)
	text = append(append(append(text, d.pointer...), 0), d.value...)
	digest := sha256Of(text)
	return commitment.TextIs(hex.EncodeToString(digest[:]))
}

// at follows a JSON pointer.
func at(v strictjson.Value, pointer string) (strictjson.Value, bool) {
	if pointer == "" {
		return v, true
	}
	if pointer[0] != '/' {
		return strictjson.Value{}, false
	}
	for token := range strings.SplitSeq(pointer[1:], "/") {
		if v.Kind() == strictjson.Array {
			index, err := strconv.Atoi(token)
			if err != nil || index < 0 || index >= v.Len() || strconv.Itoa(index) != token {
				return strictjson.Value{}, false
			}
			n := 0
			for element := range v.Each {
				if n == index {
					v = element
					break
				}
				n++
			}
			continue
		}
		name := strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
		if v = v.Get(name); !v.Present() {
			return v, false
		}
	}
	return v, true
}
