// SPDX-License-Identifier: Apache-2.0

// Package line reads one line of a journal: its envelope whole, and of its open bodies what the rules speak of.
package line

import (
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
	Sig   strictjson.Value
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
	Source       string
	Name         string
	ID           [16]byte
	System       string
	Timeline     int64
	LSN, To      string
	Position     uint64
	CommittedAt  int64
	CoversUntil  int64
	Relations    strictjson.Value
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
	c   shape.Checker
}

var (
	decidedShape  = shape.Closed("append_time", "change", "kind", "receipt", "v")
	observedShape = shape.Closed("append_time", "kind", "observation", "v")
	matchedShape  = shape.Closed("event_id", "kind", "leaf", "observation_id", "reason", "receipt_id", "status", "token_hash", "v")
	replacedShape = shape.Closed("$leaf")
	signedShape   = shape.Closed("body", "sig")
	blockShape    = shape.Closed("index", "key_id", "path", "sig", "size")
)

// MaxPath is the longest audit path of a signature block.
const MaxPath = 10

// Parse reads a line without its LF: the code and byte of what is wrong, or an empty code.
func (l *Line) Parse(data []byte) (code string, at int, member string) {
	l.Raw = data
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

func (l *Line) readDecided(root strictjson.Value) {
	var f [5]strictjson.Value
	c := &l.c
	if !c.Fields(root, "", decidedShape, f[:]) {
		return
	}
	l.AppendTime = c.Count(f[0], "", "append_time")
	c.Int(f[4], "", "v", 0, 0)
	l.Change.Value, l.Change.Sig = l.signed(f[1], "change")
	l.Receipt.Value, l.Receipt.Sig = l.signed(f[3], "receipt")
	l.readChange()
	l.readReceipt()
	if l.Receipt.Sig.IsNull() != l.Receipt.Recorded {
		c.Fault("receipt", "sig")
	}
	l.checkBlock(l.Change.Sig, "change.sig")
	if !l.Receipt.Recorded {
		l.checkBlock(l.Receipt.Sig, "receipt.sig")
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
	l.Observation.Value, l.Observation.Sig = l.signed(f[2], "observation")
	l.checkBlock(l.Observation.Sig, "observation.sig")
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

// Block is a signature block.
type Block struct {
	Index, Size int64
	KeyID       [16]byte
	Path        [MaxPath][32]byte
	PathLength  int
	Signature   [64]byte
}

func (l *Line) checkBlock(v strictjson.Value, path string) {
	var f [5]strictjson.Value
	c := &l.c
	if !c.Fields(v, path, blockShape, f[:]) {
		return
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
}

// ReadBlock takes a block apart that Parse has accepted.
func ReadBlock(v strictjson.Value, b *Block) {
	var c shape.Checker
	var f [5]strictjson.Value
	c.Fields(v, "", blockShape, f[:])
	b.Index, _ = f[0].Int()
	b.KeyID = c.ID(f[1], "", "")
	b.PathLength = 0
	for element := range f[2].Each {
		b.Path[b.PathLength] = c.Hash(element, "", "")
		b.PathLength++
	}
	text, _ := f[3].PlainText()
	signature, _ := shape.DecodeBase64(text)
	copy(b.Signature[:], signature)
	b.Size, _ = f[4].Int()
}

// signatureText says whether the text is the base64 of 64 bytes: 86 digits, the last of which has four loose bits, and "==".
func signatureText(text []byte) bool {
	if len(text) != 88 || text[86] != '=' || text[87] != '=' {
		return false
	}
	for _, c := range text[:86] {
		if !base64Digit[c] {
			return false
		}
	}
	last := text[85]
	return last == 'A' || last == 'Q' || last == 'g' || last == 'w'
}

var base64Digit = func() (table [256]bool) {
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" {
		table[c] = true
	}
	return table
}()
