// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"strconv"

	"clyra.dev/verifiers/go/internal/merkle"
	"clyra.dev/verifiers/go/internal/report"
	"clyra.dev/verifiers/go/internal/signing"
	"clyra.dev/verifiers/go/internal/trust"
)

// judgeAgreement is E14: the seals against the manifest.
func (v *verifier) judgeAgreement() {
	man := v.man
	if v.checkpoint.Origin != man.Origin || v.checkpoint.Size != uint64(man.End) || v.checkpoint.Root != man.Root {
		v.rep.Fail(report.Integrity, "CLY_CHECKPOINT_AGREEMENT", report.In(checkpointFile, ""))
	}
	if v.log != nil && !v.logAgrees() {
		v.rep.Fail(report.Integrity, "CLY_BUNDLE_LOG_AGREEMENT", report.In(logFile, ""))
	}
	if v.statement.Subject != man.Digest {
		v.rep.Fail(report.Integrity, "CLY_BUNDLE_MANIFEST_DIGEST", report.In("manifest.json", ""))
	}
	if !v.statement.Agrees(man) {
		v.rep.Fail(report.Integrity, "CLY_DSSE_AGREEMENT", report.In(envelopeFile, "predicate"))
	}
}

// logAgrees appends this bundle's leaf to the frontier of the bundle log.
func (v *verifier) logAgrees() bool {
	man := v.man
	tree, ok := merkle.NewRange(uint64(man.LogNumber), man.LogFrontier)
	if !ok {
		return false
	}
	var leaf writer
	leaf.begin()
	leaf.hex("manifest", man.Digest[:])
	leaf.text("origin", man.Origin)
	leaf.raw("range", `{"end":`+strconv.FormatInt(man.End, 10)+`,"start":`+strconv.FormatInt(man.Start, 10)+`}`)
	leaf.hex("root", man.Root[:])
	leaf.number("v", 0)
	leaf.close()
	var scratch []byte
	tree.Append(merkle.Leaf(leaf.bytes, &scratch))
	return v.log.Origin == man.Origin+"/bundles" && v.log.Size == tree.Size() && v.log.Root == tree.Root()
}

// judgeStatement checks the one signature over an envelope; its key is found by trying, since the envelope names none.
func (v *verifier) judgeStatement(signed, signature []byte, roles []string, claim report.Claim, file string) {
	if code := v.statementCode(signed, signature, roles); code != "" {
		v.rep.Fail(claim, code, report.In(file, "signatures"))
	}
}

func (v *verifier) statementCode(signed, signature []byte, roles []string) string {
	first := ""
	candidates := 0
	for _, key := range v.root.InOrder {
		has := false
		for _, role := range roles {
			has = has || key.Roles[role]
		}
		if !has || key.Algorithm != trust.Ed25519 {
			continue
		}
		candidates++
		if !signing.Verify(key.Public, signed, signature) {
			continue
		}
		code := v.judgeKey(key, roles...)
		if code == "" {
			return ""
		}
		if first == "" {
			first = code
		}
	}
	if first != "" {
		return first
	}
	for _, key := range v.root.InOrder {
		if key.Algorithm == trust.Ed25519 && signing.Verify(key.Public, signed, signature) {
			return trust.CodeRole
		}
	}
	return trust.CodeSignature
}

// judgePrevious is E17.
func (v *verifier) judgePrevious() {
	code := ""
	switch size := int64(v.previous.Size); {
	case v.previous.Origin != v.man.Origin:
		code = "CLY_PREVIOUS_ORIGIN"
	case size < v.man.Start:
		code = "CLY_PREVIOUS_GAP"
	case size > v.man.Start:
		code = "CLY_PREVIOUS_OVERLAP"
	default:
		if tree, ok := merkle.NewRange(uint64(v.man.Start), v.man.Frontier); !ok || tree.Root() != v.previous.Root {
			code = "CLY_PREVIOUS_FORK"
		}
	}
	if code != "" {
		v.rep.Fail(report.Completeness, code, report.In(v.options.Previous, ""))
	}
}
