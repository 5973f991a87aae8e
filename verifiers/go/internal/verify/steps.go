// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"slices"
	"strings"

	"clyra.dev/verifiers/go/internal/note"
	"clyra.dev/verifiers/go/internal/report"
	"clyra.dev/verifiers/go/internal/stamp"
	"clyra.dev/verifiers/go/internal/trust"
)

// judgeNamedRoot is E1.
func (v *verifier) judgeNamedRoot() {
	if v.root == nil {
		v.rep.Note(report.Authorship, report.Absent, "CLY_TRUST_ROOT_ABSENT", nil)
		return
	}
	if !v.root.Knows(v.man.TrustRoot) {
		v.rep.Fail(report.Authorship, "CLY_TRUST_ROOT_OTHER", report.In("manifest.json", "trust_root"))
	}
	if v.man.Origin != v.root.LogOrigin+"/"+v.man.Tenant {
		v.rep.Fail(report.Authorship, "CLY_TRUST_ROOT_ORIGIN", report.In("manifest.json", "origin"))
	}
}

// judgeUnlisted is E2: files that are not in the manifest are named by their own digest.
func (v *verifier) judgeUnlisted() error {
	v.secondLog = false
	for _, signature := range v.checkpoint.Signatures[1:] {
		if signature.Name == v.checkpoint.Origin {
			v.secondLog = true
			continue
		}
		v.further = append(v.further, signature)
	}
	for _, name := range v.bundle.In("cosignatures") {
		data, err := v.bundle.ReadAll(name)
		if err != nil {
			return err
		}
		text, ended := strings.CutSuffix(string(data), "\n")
		signature, ok := note.ParseSignature([]byte(text))
		if !ok || !ended || !named(name, data) {
			v.rep.Fail(report.Integrity, "CLY_BUNDLE_COSIGNATURE", report.In(name, ""))
			continue
		}
		v.further = append(v.further, signature)
	}
	for _, name := range v.bundle.In("times") {
		data, err := v.bundle.ReadAll(name)
		if err != nil {
			return err
		}
		if !named(name, data) {
			v.rep.Fail(report.Integrity, "CLY_BUNDLE_TIME_DIGEST", report.In(name, ""))
			continue
		}
		v.tokens = append(v.tokens, name)
	}
	return nil
}

func named(name string, data []byte) bool {
	digest := sha256.Sum256(data)
	_, file, _ := strings.Cut(name, "/")
	return strings.TrimSuffix(file, ".tsr") == hex.EncodeToString(digest[:])
}

// logOperator is who runs the key whose id stands in the checkpoint's first line; empty when nobody known does.
func (v *verifier) logOperator() string {
	if v.root == nil {
		return ""
	}
	first := v.checkpoint.Signatures[0]
	first.Name = v.checkpoint.Origin
	for _, key := range v.root.InOrder {
		if first.LogKeyIs(key.Public) {
			return key.Operator
		}
	}
	return ""
}

// judgeTimes is E3.
func (v *verifier) judgeTimes() error {
	names := v.tokens
	switch {
	case len(names) == 0:
		v.rep.Note(report.Time, report.Absent, "CLY_TIME_ABSENT", nil)
		return nil
	case v.root == nil:
		v.rep.Note(report.Time, report.Absent, "CLY_TRUST_ROOT_ABSENT", nil)
		return nil
	}
	inside := v.logOperator()
	bounds, insideTokens := map[string]int64{}, false
	for _, name := range names {
		data, err := v.bundle.ReadAll(name)
		if err != nil {
			return err
		}
		cut := v.cutTime
		if !v.cutKnown {
			cut = -1 << 53
		}
		verdict := stamp.Judge(data, v.checkpoint.Sealed, v.root.Authorities, cut)
		switch {
		case verdict.Code == stamp.CodeUntrusted:
		case verdict.Code != "" && verdict.Unsupported:
			v.rep.Note(report.Time, report.Unsupported, verdict.Code, report.In(name, ""))
		case verdict.Code != "":
			v.rep.Fail(report.Time, verdict.Code, report.In(name, ""))
		case verdict.Operator == inside:
			insideTokens = true
		default:
			if lowest, known := bounds[verdict.Operator]; !known || verdict.UpperBound < lowest {
				bounds[verdict.Operator] = verdict.UpperBound
			}
		}
	}
	v.trustTime(bounds, insideTokens)
	return nil
}

// trustTime takes the n-th lowest bound of outside operators as the trusted time.
func (v *verifier) trustTime(bounds map[string]int64, inside bool) {
	if v.rep.Of(report.Time).Status == report.Fail {
		return
	}
	ascending := make([]int64, 0, len(bounds))
	for _, bound := range bounds {
		ascending = append(ascending, bound)
	}
	slices.Sort(ascending)
	switch n := int(v.root.TSAs); {
	case len(ascending) >= n:
		v.ring.Dated, v.ring.TrustedTime = true, ascending[n-1]
	case len(ascending) > 0:
		v.rep.Note(report.Time, report.Partial, "CLY_TIME_QUORUM", nil)
	case inside:
		v.rep.Note(report.Time, report.Partial, "CLY_TIME_INSIDE", nil)
	default:
		v.rep.Note(report.Time, report.Absent, stamp.CodeUntrusted, nil)
	}
}

// judgeSeals is E14 to E17.
func (v *verifier) judgeSeals() error {
	v.judgeAgreement()
	if v.root != nil {
		v.judgeSealSignatures()
	}
	v.judgeWitnesses()
	if v.previous != nil && !v.man.Export {
		v.judgePrevious()
	}
	return nil
}

func (v *verifier) judgeSealSignatures() {
	v.judgeNote(v.checkpoint, v.checkpoint.Origin, checkpointFile, true)
	if v.log != nil {
		v.judgeNote(v.log, v.log.Origin, logFile, false)
	}
	if v.previous != nil {
		v.judgeNote(v.previous, v.previous.Origin, v.options.Previous, false)
	}
	roles := []string{"bundler"}
	if v.man.Export {
		roles = append(roles, "operator")
	}
	v.judgeStatement(v.statement.Signed, v.statement.Signature, roles, report.Authorship, envelopeFile)
	if v.cutKnown && v.cutTime > v.root.ExpiresAt {
		v.rep.Fail(report.Authorship, "CLY_TRUST_ROOT_EXPIRED", nil)
	}
}

// judgeNote holds the first line against the log's keys.
func (v *verifier) judgeNote(c *note.Checkpoint, origin, file string, alone bool) {
	first := c.Signatures[0]
	bad := first.Name != origin || len(first.Payload) != 4+64
	if alone {
		bad = bad || v.secondLog
	} else {
		for _, other := range c.Signatures[1:] {
			bad = bad || other.Name == origin
		}
	}
	if bad {
		v.rep.Fail(report.Authorship, "CLY_CHECKPOINT_SIGNATURE", report.In(file, "signatures"))
		return
	}
	var found *trust.Key
	for _, key := range v.root.InOrder {
		if first.LogKeyIs(key.Public) && (found == nil || !found.Roles["log"]) {
			found = key
		}
	}
	code := trust.CodeUnknown
	if found != nil {
		if code = v.judgeKey(found, "log"); code == "" && !first.LogSigned(found.Public, c.Text) {
			code = trust.CodeSignature
		}
	}
	if code != "" {
		v.rep.Fail(report.Authorship, code, report.In(file, "signatures"))
	}
}

// judgeKey judges a key of the trust root at the cut's append time, or without a time where that is unknown.
func (v *verifier) judgeKey(key *trust.Key, roles ...string) string {
	return v.ring.JudgeSeal(key, v.cutTime, v.cutKnown, roles)
}

// judgeWitnesses is E16.
func (v *verifier) judgeWitnesses() {
	if v.root == nil || len(v.further) == 0 {
		code := "CLY_WITNESS_ABSENT"
		if len(v.further) > 0 {
			code = "CLY_TRUST_ROOT_ABSENT"
		}
		v.rep.Note(report.Witness, report.Absent, code, nil)
		return
	}
	inside, outside, insideLines := v.logOperator(), map[string]bool{}, false
	for _, signature := range v.further {
		for _, key := range v.root.InOrder {
			if !key.Roles["witness"] || key.Name != signature.Name || !signature.WitnessKeyIs(key.Public) {
				continue
			}
			seconds, ok := signature.WitnessSigned(key.Public, v.checkpoint.Text)
			if !ok || key.Algorithm != trust.Ed25519 {
				v.rep.Fail(report.Witness, "CLY_WITNESS_SIGNATURE", report.In(checkpointFile, "signatures"))
				break
			}
			if at := seconds * 1_000; at < key.From || at > key.To || key.Revoked {
				break
			}
			if key.Operator == inside {
				insideLines = true
			} else {
				outside[key.Operator] = true
			}
			break
		}
	}
	switch n := int(v.root.Witnesses); {
	case len(outside) >= n:
	case len(outside) > 0:
		v.rep.Note(report.Witness, report.Partial, "CLY_WITNESS_QUORUM", nil)
	case insideLines:
		v.rep.Note(report.Witness, report.Partial, "CLY_WITNESS_INSIDE", nil)
	default:
		v.rep.Note(report.Witness, report.Absent, "CLY_WITNESS_UNKNOWN", nil)
	}
}

func (v *verifier) sizeOf(name string) int64 {
	size, _ := v.bundle.Size(name)
	return size
}

// hashFile reads a file of the bundle through a hash.
func (v *verifier) hashFile(name string) (digest [32]byte, size int64, err error) {
	file, err := v.bundle.Open(name)
	if err != nil {
		return digest, 0, err
	}
	defer file.Close()
	sum := sha256.New()
	size, err = io.CopyBuffer(sum, struct{ io.Reader }{file}, make([]byte, min(readBytes, v.sizeOf(name)+1)))
	return [32]byte(sum.Sum(nil)), size, err
}
