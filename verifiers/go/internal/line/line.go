// SPDX-License-Identifier: Apache-2.0

// Package line reads one line of a journal: its envelope whole, and of its open bodies what the rules speak of.
package line

import (
	"unicode/utf8"

	"clyra.dev/verifiers/go/internal/shape"
	"clyra.dev/verifiers/go/internal/strictjson"
)

// Kind of a line.
type Kind int

// The kinds; Replaced is a line of an export that only its hash is left of.
const (
	Decided Kind = iota
	Observed
	Matched
	Replaced
)

// Body is one signed body with its text and its signature block.
type Body struct {
	Value strictjson.Value
	Sig   Signature
	// Kind, Tenant and EventID are texts as they stand, without their quotes.
	Kind, Tenant, EventID strictjson.Value
}

// Receipt is what the rules need of a receipt's body.
type Receipt struct {
	Body
	ChangeKind, StreamID, ReceiptIDText    strictjson.Value
	ChangeDigest, TenantPrev, Prev         [32]byte
	ReceiptID                              [16]byte
	TenantSeq, Seq, Offset, PreviousOffset int64
	Partition, DecidedAt, Count, Engine    int64
	InRun                                  bool
	RunID                                  string
	// Recorded says that the body is of kind recorded, else it is decided.
	Recorded     bool
	Decision     string
	HasPolicy    bool
	Policy       [32]byte
	IsCut        bool
	HasState     bool
	StateDigest  strictjson.Value
	Inspected    strictjson.Value
	Grants       strictjson.Value
	Reasons      strictjson.Value
	Effect       strictjson.Value
	Mode         strictjson.Value
	HasSuperseds bool
}

// Change is what the rules need of a change's body.
type Change struct {
	Body
	Command, Documents, Facts, IntakeAt, Signatures strictjson.Value
}

// Observation is what the rules need of an observation's body; which fields count depends on its kind.
type Observation struct {
	Body
	Source      string
	Name        string
	ID          [16]byte
	System      string
	Timeline    int64
	LSN, To     string
	Position    uint64
	CommittedAt int64
	CoversUntil int64
	Relations   strictjson.Value
	// Rows is how many rows a transaction wrote, at most 2^53−1.
	Rows         int64
	Tokens       strictjson.Value
	Scope        string
	Blind        strictjson.Value
	Reason       string
	Component    string
	Cause        string
	FailedAt     int64
	DetectedAt   int64
	RestoredAt   int64
	Refused      int64
	DocumentHash [32]byte
	DocumentSize int64
}

// Line is one line. It refers to the bytes and nodes it was read from, and is used again for the next line.
type Line struct {
	Kind        Kind
	AppendTime  int64
	Change      Change
	Receipt     Receipt
	Observation Observation
	// Leaf is the leaf that a matched line speaks of.
	Leaf int64
	// Hash is the leaf hash of a replaced line.
	Hash [32]byte

	Raw []byte
	doc strictjson.Doc
	// bodies are those of a line that is read as what it nearly always is.
	bodies [2]strictjson.Doc
	c      shape.Checker
	// names are what the line before said, so that the same is no new text.
	names struct{ kind, source, system string }
}

var (
	decidedShape  = shape.Closed("append_time", "change", "kind", "receipt", "v")
	observedShape = shape.Closed("append_time", "kind", "observation", "v")
	matchedShape  = shape.Closed("event_id", "kind", "leaf", "observation_id", "reason", "receipt_id", "status", "token_hash", "v")
	replacedShape = shape.Closed("$leaf")
	signedShape   = shape.Closed("body", "sig")
	blockShape    = shape.Closed("index", "key_id", "path", "sig", "size")
)

// Parse reads a line without its LF: the code and byte of what is wrong, or an empty code.
func (l *Line) Parse(data []byte) (code string, at int, member string) {
	l.Raw = data
	if l.parsePlain(data) {
		return "", 0, ""
	}
	if err := l.doc.Parse(data, strictjson.Record); err != nil {
		return err.Code, err.Offset, ""
	}
	l.c.Reset()
	root := l.doc.Root()
	switch kind := root.Get("kind"); {
	case kind.TextIs("decided"):
		l.Kind = Decided
		l.readDecided(root)
	case kind.TextIs("observed"):
		l.Kind = Observed
		l.readObserved(root)
	case kind.TextIs("matched"):
		l.Kind = Matched
		l.readMatched(root)
	case root.Get("$leaf").Present():
		l.Kind = Replaced
		var f [1]strictjson.Value
		if l.c.Fields(root, "", replacedShape, f[:]) {
			l.Hash = l.c.Hash(f[0], "", "$leaf")
		}
	default:
		l.c.Fault("", "kind")
	}
	if !l.c.OK() {
		return "CLY_LINE_SHAPE", -1, l.c.Path()
	}
	return "", 0, ""
}

// parsePlain reads a decided or observed line whose envelope and blocks have the one form that they have in canonical text. What
// it does not take may be good or bad: then the line is read whole.
func (l *Line) parsePlain(data []byte) bool {
	if len(data) > strictjson.MaxRecordBytes || !utf8.Valid(data) {
		return false
	}
	p, ok := plainText{data: data}, false
	if !p.takes(`{"append_time":`) {
		return false
	}
	if l.AppendTime, ok = p.count(surely); !ok {
		return false
	}
	l.c.Reset()
	if p.takes(`,"change":{"body":`) {
		return l.plainDecided(&p)
	}
	if !p.takes(`,"kind":"observed","observation":{"body":`) {
		return false
	}
	if l.Observation.Value, l.Observation.Sig, ok = p.body(&l.bodies[0], false); !ok || !p.takes(`},"v":0}`) {
		return false
	}
	l.Kind = Observed
	l.readObservation()
	return l.c.OK() && p.pos == len(data)
}

func (l *Line) plainDecided(p *plainText) (ok bool) {
	if l.Change.Value, l.Change.Sig, ok = p.body(&l.bodies[0], false); !ok || !p.takes(`},"kind":"decided","receipt":{"body":`) {
		return false
	}
	if l.Receipt.Value, l.Receipt.Sig, ok = p.body(&l.bodies[1], true); !ok || !p.takes(`},"v":0}`) {
		return false
	}
	l.Kind = Decided
	l.readChange()
	l.readReceipt()
	return l.c.OK() && p.pos == len(p.data) && l.Receipt.Sig.IsNull() == l.Receipt.Recorded
}

func (l *Line) readDecided(root strictjson.Value) {
	var f [5]strictjson.Value
	c := &l.c
	if !c.Fields(root, "", decidedShape, f[:]) {
		return
	}
	l.AppendTime = c.Count(f[0], "", "append_time")
	c.Int(f[4], "", "v", 0, 0)
	var changeSig, receiptSig strictjson.Value
	l.Change.Value, changeSig = l.signed(f[1], "change")
	l.Receipt.Value, receiptSig = l.signed(f[3], "receipt")
	l.readChange()
	l.readReceipt()
	if receiptSig.IsNull() != l.Receipt.Recorded {
		c.Fault("receipt", "sig")
	}
	l.Change.Sig, l.Receipt.Sig = l.checkBlock(changeSig, "change.sig"), Signature{}
	if !l.Receipt.Recorded {
		l.Receipt.Sig = l.checkBlock(receiptSig, "receipt.sig")
	}
}

func (l *Line) readObserved(root strictjson.Value) {
	var f [4]strictjson.Value
	c := &l.c
	if !c.Fields(root, "", observedShape, f[:]) {
		return
	}
	l.AppendTime = c.Count(f[0], "", "append_time")
	c.Int(f[3], "", "v", 0, 0)
	var sig strictjson.Value
	l.Observation.Value, sig = l.signed(f[2], "observation")
	l.Observation.Sig = l.checkBlock(sig, "observation.sig")
	l.readObservation()
}

func (l *Line) readMatched(root strictjson.Value) {
	var f [9]strictjson.Value
	c := &l.c
	if !c.Fields(root, "", matchedShape, f[:]) {
		return
	}
	shape.OrNull(shape.Text)(c, f[0], "", "event_id")
	l.Leaf = c.Count(f[2], "", "leaf")
	c.ID(f[3], "", "observation_id")
	shape.Text(c, f[4], "", "reason")
	if !f[5].IsNull() {
		c.ID(f[5], "", "receipt_id")
	}
	statusRule(c, f[6], "", "status")
	c.HashOrNull(f[7], "", "token_hash")
	c.Int(f[8], "", "v", 0, 0)
}

var statusRule = shape.OneOf("matched", "exceeded", "reused", "unattributed", "claimed_unproved")

func (l *Line) signed(v strictjson.Value, path string) (body, sig strictjson.Value) {
	var f [2]strictjson.Value
	if !l.c.Fields(v, path, signedShape, f[:]) {
		return body, sig
	}
	if f[0].Kind() != strictjson.Object {
		l.c.Fault(path, "body")
	}
	return f[0], f[1]
}

func (l *Line) checkBlock(v strictjson.Value, path string) (sig Signature) {
	var f [5]strictjson.Value
	c := &l.c
	if !c.Fields(v, path, blockShape, f[:]) {
		return sig
	}
	c.Count(f[0], path, "index")
	c.ID(f[1], path, "key_id")
	if c.Array(f[2], path, "path", MaxPath) {
		for element := range f[2].Each {
			c.Hash(element, path, "path")
		}
	}
	if text, ok := f[3].PlainText(); !ok || !signatureText(text) {
		c.Fault(path, "sig")
	}
	c.Count(f[4], path, "size")
	return Signature{v.Raw()}
}
