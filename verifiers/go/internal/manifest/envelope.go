// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"bytes"

	"clyra.dev/verifiers/go/internal/shape"
	"clyra.dev/verifiers/go/internal/signing"
	"clyra.dev/verifiers/go/internal/strictjson"
)

const statementType = "application/vnd.in-toto+json"

// Statement is an in-toto statement in its DSSE envelope, with the one signature over it.
type Statement struct {
	Subject       [32]byte
	PredicateType string
	Predicate     strictjson.Value
	// Signed is what the signature is over.
	Signed    []byte
	Signature []byte
}

var (
	envelopeShape  = shape.Closed("payload", "payloadType", "signatures")
	signatureShape = shape.Closed("keyid", "sig")
	statementShape = shape.Closed("_type", "predicate", "predicateType", "subject")
	subjectShape   = shape.Closed("digest", "name")
	digestShape    = shape.Closed("sha256")
)

// ParseStatement reads an envelope. grammar is the code of a fault of the envelope's own JSON, empty when only the shape
// is wrong.
func ParseStatement(data []byte) (s *Statement, grammar *strictjson.Error, ok bool) {
	var doc strictjson.Doc
	if err := doc.Parse(data, strictjson.Envelope); err != nil {
		return nil, err, false
	}
	var c shape.Checker
	var f [3]strictjson.Value
	if !c.Fields(doc.Root(), "", envelopeShape, f[:]) || !f[1].TextIs(statementType) {
		return nil, nil, false
	}
	payload := c.Base64(f[0], "", "payload", -1)
	if !c.Array(f[2], "", "signatures", 1) || f[2].Len() != 1 {
		return nil, nil, false
	}
	s = &Statement{Signed: signing.AppendPAE(nil, statementType, payload)}
	for element := range f[2].Each {
		var g [2]strictjson.Value
		if !c.Fields(element, "signatures", signatureShape, g[:]) || !g[0].TextIs("") {
			return nil, nil, false
		}
		s.Signature = c.Base64(g[1], "signatures", "sig", 64)
	}
	return s, nil, c.OK() && s.readPayload(payload)
}

func (s *Statement) readPayload(payload []byte) bool {
	doc := &strictjson.Doc{}
	if doc.Parse(payload, strictjson.Envelope) != nil {
		return false
	}
	var c shape.Checker
	var f [4]strictjson.Value
	if !c.Fields(doc.Root(), "", statementShape, f[:]) || !f[0].TextIs("https://in-toto.io/Statement/v1") {
		return false
	}
	s.Predicate = f[1]
	s.PredicateType = c.Text(f[2], "", "predicateType", 0, 1<<20)
	if f[1].Kind() != strictjson.Object || !c.Array(f[3], "", "subject", 1) || f[3].Len() != 1 {
		return false
	}
	for subject := range f[3].Each {
		var g, h [2]strictjson.Value
		if !c.Fields(subject, "subject", subjectShape, g[:]) || !g[1].TextIs(File) {
			return false
		}
		if !c.Fields(g[0], "subject.digest", digestShape, h[:1]) {
			return false
		}
		s.Subject = c.Hash(h[0], "subject.digest", "sha256")
	}
	return c.OK()
}

// Agrees says whether the statement speaks of this manifest's range.
func (s *Statement) Agrees(man *Manifest) bool {
	root := man.Doc.Root()
	names, kind := []string{"origin", "profiles", "range", "root"}, "https://clyra.dev/bundle/v0"
	if man.Export {
		names, kind = []string{"origin", "range", "root"}, "https://clyra.dev/export/v0"
		if !bytes.Equal(s.Predicate.Get("of").Raw(), root.Get("export").Get("of").Raw()) {
			return false
		}
	}
	extra := 0
	if man.Export {
		extra = 1
	}
	if s.Predicate.Len() != len(names)+extra {
		return false
	}
	for _, name := range names {
		if !bytes.Equal(s.Predicate.Get(name).Raw(), root.Get(name).Raw()) {
			return false
		}
	}
	return s.PredicateType == kind
}
