// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"

	"clyra.dev/verifiers/go/internal/ledger"
	"clyra.dev/verifiers/go/internal/manifest"
	"clyra.dev/verifiers/go/internal/report"
	"clyra.dev/verifiers/go/internal/shape"
	"clyra.dev/verifiers/go/internal/strictjson"
)

const (
	maxDocumentBytes = 16_777_216
	maxGuarded       = 16_384
	maxStateLine     = 2_097_152
)

// judgeArtifacts is E4.
func (v *verifier) judgeArtifacts() error {
	listed := map[string]bool{}
	for _, artifact := range v.man.Artifacts {
		name := artifact.Name()
		listed[name] = true
		size, ok := v.bundle.Size(name)
		if !ok {
			v.rep.Fail(report.Integrity, "CLY_BUNDLE_ARTIFACT_MISSING", report.In(name, ""))
			continue
		}
		if size != artifact.Size {
			v.rep.Fail(report.Integrity, "CLY_BUNDLE_ARTIFACT_SIZE", report.In(name, ""))
			continue
		}
		digest, _, err := v.hashFile(name)
		if err != nil {
			return err
		}
		if digest != artifact.Digest {
			v.rep.Fail(report.Integrity, "CLY_BUNDLE_ARTIFACT_DIGEST", report.In(name, ""))
			continue
		}
		v.sound[digest] = artifact
	}
	for _, name := range v.bundle.In("artifacts") {
		if !listed[name] {
			v.rep.Fail(report.Integrity, "CLY_BUNDLE_ARTIFACT_UNLISTED", report.In(name, ""))
		}
	}
	return nil
}

// judgePolicies is E5.
func (v *verifier) judgePolicies() error {
	for _, artifact := range v.man.Artifacts {
		if _, ok := v.sound[artifact.Digest]; !ok || artifact.Kind != "policy" {
			continue
		}
		_, ok, err := v.readPolicy(artifact.Digest)
		if err != nil {
			return err
		}
		if !ok {
			v.rep.Fail(report.Policy, "CLY_POLICY_DOCUMENT", report.In(artifact.Name(), ""))
			continue
		}
		v.policies[artifact.Digest] = true
	}
	return nil
}

// readPolicy reads what a policy guards. Documents are not kept: there may be many, and each is needed once.
func (v *verifier) readPolicy(digest [32]byte) (guarded ledger.Relations, ok bool, err error) {
	artifact := v.sound[digest]
	if artifact.Size > maxDocumentBytes {
		return nil, false, nil
	}
	file, err := v.bundle.Open(artifact.Name())
	if err != nil {
		return nil, false, err
	}
	defer file.Close()
	data := make([]byte, artifact.Size)
	if _, err := io.ReadFull(file, data); err != nil {
		return nil, false, err
	}
	guarded, ok = guardedBy(data)
	return guarded, ok, nil
}

var guardedShape = shape.Closed("relations", "source_id")

func guardedBy(data []byte) (ledger.Relations, bool) {
	var doc strictjson.Doc
	grammar := strictjson.Grammar{MaxBytes: maxDocumentBytes, MaxDepth: 64, FreeNames: true, FreeNumbers: true, Keep: "guarded"}
	if doc.Parse(data, grammar) != nil {
		return nil, false
	}
	guarded := ledger.Relations{}
	if doc.Kept() == nil {
		return guarded, true
	}
	// A name takes at least three bytes, so what has more commas than that many names could cost is too much already.
	if bytes.Count(doc.Kept(), []byte{','}) > 4*maxGuarded {
		return nil, false
	}
	wrapped := append(append([]byte(`{"guarded":`), doc.Kept()...), '}')
	grammar.Keep = ""
	grammar.MaxBytes += 16
	if doc.Parse(wrapped, grammar) != nil {
		return nil, false
	}
	var c shape.Checker
	list := doc.Root().Get("guarded")
	count := 0
	if !c.Array(list, "", "guarded", maxGuarded) {
		return nil, false
	}
	for entry := range list.Each {
		var f [2]strictjson.Value
		if !c.Fields(entry, "guarded", guardedShape, f[:]) || !c.Array(f[0], "guarded", "relations", maxGuarded) {
			return nil, false
		}
		source := c.Text(f[1], "guarded", "source_id", 0, maxDocumentBytes)
		for relation := range f[0].Each {
			count++
			guarded.Add(source, c.Text(relation, "guarded", "relations", 0, maxDocumentBytes))
		}
	}
	return guarded, c.OK() && count <= maxGuarded
}

// judgeState is E6.
func (v *verifier) judgeState() error {
	var states []manifest.Artifact
	for _, artifact := range v.man.Artifacts {
		if artifact.Kind == "state" {
			states = append(states, artifact)
		}
	}
	wanted := 0
	if v.man.Start > 0 {
		wanted = 1
	}
	if len(states) != wanted {
		v.rep.Fail(report.Completeness, "CLY_STATE_ARTIFACT", report.In("manifest.json", "artifacts"))
		return nil
	}
	if wanted == 0 {
		return nil
	}
	if _, ok := v.sound[states[0].Digest]; !ok {
		return nil
	}
	digest, ok, err := v.stateDigest(states[0].Name())
	switch {
	case err != nil:
		return err
	case !ok:
		v.rep.Fail(report.Completeness, "CLY_STATE_SHAPE", report.In(states[0].Name(), ""))
	case digest != v.man.OpeningState:
		v.rep.Fail(report.Completeness, "CLY_STATE_DIGEST", report.In(states[0].Name(), ""))
	}
	return nil
}

// stateDigest folds the lines of a state. They stand bucket by bucket, so that one bucket and one group are open at a time.
func (v *verifier) stateDigest(name string) (digest [32]byte, ok bool, err error) {
	file, err := v.bundle.Open(name)
	if err != nil {
		return digest, false, err
	}
	defer file.Close()
	var doc strictjson.Doc
	fold := newStateFold()
	ok, err = eachLine(file, maxStateLine, func(text []byte) bool {
		key, good := stateKey(&doc, text)
		return good && fold.add(key, text)
	})
	return fold.end(), ok, err
}

// stateFold is the state digest under way: buckets by the first two bytes of the key's digest, groups by the first.
type stateFold struct {
	any           bool
	place         int
	last          string
	bucket, group hash.Hash
	all           hash.Hash
	groups        int
}

func newStateFold() *stateFold {
	return &stateFold{bucket: sha256.New(), group: sha256.New(), all: sha256.New()}
}

// add takes the next line; false when it does not stand behind the one before.
func (s *stateFold) add(key string, text []byte) bool {
	of := sha256.Sum256([]byte(key))
	place := int(of[0])<<8 | int(of[1])
	if s.any && (place < s.place || place == s.place && strictjson.CompareText(s.last, key) >= 0) {
		return false
	}
	if s.any && place != s.place {
		s.endBucket()
	}
	s.endGroups(place >> 8)
	s.any, s.place, s.last = true, place, key
	s.bucket.Write(text)
	s.bucket.Write([]byte{'\n'})
	return true
}

func (s *stateFold) endBucket() {
	s.group.Write([]byte{byte(s.place)})
	s.group.Write(s.bucket.Sum(nil))
	s.bucket.Reset()
}

// endGroups closes all groups below the one given.
func (s *stateFold) endGroups(until int) {
	for ; s.groups < until; s.groups++ {
		s.all.Write(s.group.Sum(nil))
		s.group.Reset()
	}
}

func (s *stateFold) end() [32]byte {
	if s.any {
		s.endBucket()
	}
	s.endGroups(256)
	return [32]byte(s.all.Sum(nil))
}

// stateKey reads {"key":text,"value":record}. The value may be large, so no nodes are made for it.
func stateKey(doc *strictjson.Doc, text []byte) (string, bool) {
	grammar := strictjson.Grammar{MaxBytes: maxStateLine, MaxDepth: strictjson.MaxDepth, Keep: "key"}
	if doc.Parse(text, grammar) != nil || doc.Members() != 2 || len(doc.Kept()) < 2 || doc.Kept()[0] != '"' {
		return "", false
	}
	kept := doc.Kept()
	rest, found := bytes.CutPrefix(text, append(append([]byte(`{"key":`), kept...), `,"value":{`...))
	if !found || !bytes.HasSuffix(rest, []byte("}}")) {
		return "", false
	}
	var small strictjson.Doc
	if small.Parse(append(append([]byte(`{"key":`), kept...), '}'), grammar.WithNodes()) != nil {
		return "", false
	}
	key, ok := small.Root().Get("key").Text()
	return key, ok
}

// eachLine gives the lines of a file without their LF; false when one is longer than limit, unfinished, or refused.
func eachLine(file io.Reader, limit int, take func([]byte) bool) (bool, error) {
	reader := bufio.NewReaderSize(file, limit+2)
	for {
		text, err := reader.ReadSlice('\n')
		switch {
		case err == io.EOF && len(text) == 0:
			return true, nil
		case err == io.EOF || err == bufio.ErrBufferFull:
			return false, nil
		case err != nil:
			return false, err
		}
		text = text[:len(text)-1]
		if len(text) > limit || !take(text) {
			return false, nil
		}
	}
}

// openLedger is E7.
func (v *verifier) openLedger() error {
	if v.man.Start == 0 {
		v.ledger = ledger.Genesis(v.man.StreamText, v.man.Tenant)
		return nil
	}
	artifact, ok := v.sound[v.man.OpeningLedger]
	if !ok || artifact.Kind != "ledger" {
		v.noLedger("CLY_LEDGER_OPENING")
		return nil
	}
	file, err := v.bundle.Open(artifact.Name())
	if err != nil {
		return err
	}
	defer file.Close()
	reader := ledger.NewReader()
	ok, err = eachLine(file, strictjson.MaxRecordBytes, reader.Line)
	if err != nil {
		return err
	}
	opened, headed := reader.Ledger()
	if !ok || !headed {
		v.noLedger("CLY_LEDGER_SHAPE")
		return nil
	}
	v.ledger = opened
	if opened.HasPolicy && v.policies[opened.Policy] {
		guarded, good, err := v.readPolicy(opened.Policy)
		if err != nil {
			return err
		}
		if good && !guarded.Equal(opened.Guarded) {
			v.rep.Fail(report.Policy, "CLY_POLICY_GUARDED", report.In(artifact.Name(), ""))
		}
	}
	return nil
}

// noLedger ends the claims that need one.
func (v *verifier) noLedger(code string) {
	claims := []report.Claim{report.Completeness, report.Order, report.Policy, report.Reconciliation, report.Coverage}
	if v.root != nil {
		claims = append(claims, report.Authorship)
	}
	for _, claim := range claims {
		v.rep.Fail(claim, code, report.In("artifacts/"+hex.EncodeToString(v.man.OpeningLedger[:]), ""))
	}
}
