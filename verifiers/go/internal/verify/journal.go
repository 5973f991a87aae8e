// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"hash"
	"io"

	"clyra.dev/verifiers/go/internal/line"
	"clyra.dev/verifiers/go/internal/merkle"
	"clyra.dev/verifiers/go/internal/report"
	"clyra.dev/verifiers/go/internal/strictjson"
	"clyra.dev/verifiers/go/internal/trust"
)

// journal is the fold over the lines of a bundle (E8 to E13).
type journal struct {
	v    *verifier
	line line.Line
	// number counts lines from 1.
	number int64
	// brokenAt is the first line without grammar or shape.
	brokenAt int64
	broken   bool

	tree     *merkle.Range
	segment  *merkle.Range
	segments int
	badAt    int64
	// sum is of the file; nil in head mode, where the root says the same of the same bytes.
	sum     hash.Hash
	size    int64
	scratch []byte

	signatures *signatures
	// lender is the key that signed the line's delegation.
	lender  *trust.Key
	metrics metrics
	derived derived

	// Neighbours: whether the line before stands, for exports.
	lastDecided   bool
	decidedSeen   bool
	observedSeen  bool
	lastObserved  int64
	lastWasCut    bool
	lastIsSealed  bool
	closedRuns    map[string]bool
	first         *line.Receipt
	cut           cutFacts
	policies      [][32]byte
	policyListed  map[[32]byte]bool
	decisions     map[string]int64
	runsClosed    []closedRun
	gaps          []gapFact
	gapsBySource  map[string]int64
	outages       []outageFact
	named         map[[32]byte]int64
	documentHits  [2]int64
	signers       [3]map[[16]byte]bool
	lastSigners   [3][]byte
	runLinesStand int64
	export        *exportRun
}

type closedRun struct {
	id    string
	count int64
}

type gapFact struct{ source, from, to, reason string }

type outageFact struct {
	source, component, cause              string
	failedAt, detectedAt, restoredAt, not int64
}

// cutFacts is what the manifest repeats of the last line.
type cutFacts struct {
	kind, state, receipt string
	offset, partition    int64
	engine               int64
	appendTime           int64
}

const readBytes = 1 << 18

// judgeJournal is E8 to E13.
func (v *verifier) judgeJournal() error {
	tree, ok := merkle.NewRange(uint64(v.man.Start), v.man.Frontier)
	segment, _ := merkle.NewRange(0, nil)
	if !ok {
		return errors.New("a frontier that was accepted does not fit")
	}
	j := &journal{
		v: v, tree: tree, segment: segment, closedRuns: map[string]bool{}, policyListed: map[[32]byte]bool{},
		decisions: map[string]int64{}, gapsBySource: map[string]int64{}, named: map[[32]byte]int64{},
	}
	if !v.options.Head {
		j.sum = sha256.New()
	}
	for i := range j.signers {
		j.signers[i] = map[[16]byte]bool{}
	}
	v.journal = j
	j.signatures = newSignatures(v, v.options.Workers)
	j.begin()
	err := j.read()
	j.signatures.finish()
	if err != nil {
		return err
	}
	j.judgeFile()
	if j.broken || !v.man.Export && v.ledger == nil {
		return nil
	}
	if v.man.Export {
		return j.finishExport()
	}
	j.judgeEnd()
	j.judgeMembers()
	return nil
}

// begin takes over what the ledger has from before the range.
func (j *journal) begin() {
	v := j.v
	if v.man.Export {
		j.export = newExportRun(v.man)
	}
	if v.ledger == nil {
		return
	}
	if v.ledger.HasPolicy {
		j.listPolicy(v.ledger.Policy)
	}
	if v.ring == nil {
		return
	}
	for _, delegation := range v.ledger.Delegations {
		j.lendFromLedger(delegation)
	}
}

func (j *journal) listPolicy(digest [32]byte) {
	if n := len(j.policies); n > 0 && j.policies[n-1] == digest {
		return
	}
	j.policies = append(j.policies, digest)
}

func (j *journal) read() error {
	file, err := j.v.bundle.Open(journalFile)
	if err != nil {
		return err
	}
	defer file.Close()
	size, _ := j.v.bundle.Size(journalFile)
	// A small file needs no room for the longest line.
	reader := bufio.NewReaderSize(file, int(min(readBytes, size+1)))
	for {
		text, err := reader.ReadSlice('\n')
		if len(text) == 0 && err == io.EOF {
			return nil
		}
		j.number++
		j.pass(text)
		switch {
		case err == nil:
			j.take(text[:len(text)-1])
		case err == bufio.ErrBufferFull:
			j.breakAt("CLY_LINE_TOO_LONG", strictjson.MaxRecordBytes, "")
			if err := j.drain(reader, text); err != nil {
				return err
			}
		case err == io.EOF:
			code := "CLY_LINE_UNTERMINATED"
			if len(text) > strictjson.MaxRecordBytes {
				code = "CLY_LINE_TOO_LONG"
			}
			j.breakAt(code, len(text), "")
			j.leaf(merkle.Leaf(text, &j.scratch))
			return nil
		default:
			return err
		}
	}
}

// pass counts bytes of the file.
func (j *journal) pass(text []byte) {
	if j.sum != nil {
		j.sum.Write(text)
	}
	j.size += int64(len(text))
}

// drain hashes the rest of a line that is too long to be held.
func (j *journal) drain(reader *bufio.Reader, start []byte) error {
	sum := sha256.New()
	sum.Write([]byte{0})
	sum.Write(start)
	for {
		text, err := reader.ReadSlice('\n')
		j.pass(text)
		if err == nil {
			text = text[:len(text)-1]
		}
		sum.Write(text)
		if err == bufio.ErrBufferFull {
			continue
		}
		j.leaf([32]byte(sum.Sum(nil)))
		if err == io.EOF {
			return nil
		}
		return err
	}
}

// leaf adds one leaf to the tree and to the segment that it stands in.
func (j *journal) leaf(hash merkle.Hash) {
	j.tree.Append(hash)
	if j.v.options.Head {
		return
	}
	j.segment.Append(hash)
	if int64(j.segment.Size()) == j.v.man.SegmentLines {
		j.endSegment()
	}
}

func (j *journal) endSegment() {
	wanted := j.v.man.Segments
	if (j.segments >= len(wanted) || wanted[j.segments] != j.segment.Root()) && j.badAt == 0 {
		j.badAt = j.number
	}
	j.segments++
	j.segment.Reset()
}

// breakAt ends the judging of lines.
func (j *journal) breakAt(code string, at int, member string) {
	if j.broken {
		return
	}
	j.broken, j.brokenAt = true, j.number
	where := report.OnLine(journalFile, j.number, member)
	where.Byte = at
	j.v.rep.Fail(report.Integrity, code, where)
}

// take reads one line.
func (j *journal) take(text []byte) {
	if len(text) > strictjson.MaxRecordBytes {
		j.breakAt("CLY_LINE_TOO_LONG", strictjson.MaxRecordBytes, "")
	}
	if j.broken {
		j.leaf(merkle.Leaf(text, &j.scratch))
		return
	}
	code, at, member := j.line.Parse(text)
	if code == "" && j.line.Kind == line.Replaced && !j.v.man.Export {
		code, at, member = "CLY_LINE_SHAPE", -1, "$leaf"
	}
	if code != "" {
		j.breakAt(code, at, member)
		j.leaf(merkle.Leaf(text, &j.scratch))
		return
	}
	if j.line.Kind == line.Replaced {
		j.leaf(j.line.Hash)
		j.takeReplaced()
		return
	}
	j.leaf(merkle.Leaf(text, &j.scratch))
	switch {
	case j.v.man.Export:
		j.takeExported()
	case j.v.ledger != nil:
		j.takeWhole()
	}
}

// takeWhole judges one line of a bundle.
func (j *journal) takeWhole() {
	switch j.line.Kind {
	case line.Decided:
		j.takeDecided()
	case line.Observed:
		j.takeObserved()
	case line.Matched:
		j.derived.takeMatched(j)
	}
	j.lastWasCut = j.line.Kind == line.Decided && j.line.Receipt.IsCut
}

func (j *journal) fail(claim report.Claim, code, member string) {
	j.v.rep.Fail(claim, code, report.OnLine(journalFile, j.number, member))
}

// judgeFile is E10 and E11.
func (j *journal) judgeFile() {
	rep, man := j.v.rep, j.v.man
	if j.broken {
		claims := []report.Claim{report.Order, report.Completeness, report.Policy, report.Reconciliation, report.Coverage}
		if j.v.root != nil {
			claims = append(claims, report.Authorship)
		}
		for _, claim := range claims {
			rep.Fail(claim, "CLY_JOURNAL_UNREADABLE", report.In(journalFile, ""))
		}
	}
	if j.segment.Size() > 0 {
		j.endSegment()
	}
	at := report.In(journalFile, "")
	if j.sum != nil && [32]byte(j.sum.Sum(nil)) != man.JournalDigest {
		rep.Fail(report.Integrity, "CLY_BUNDLE_JOURNAL_DIGEST", at)
	}
	if j.size != man.JournalSize {
		rep.Fail(report.Integrity, "CLY_BUNDLE_JOURNAL_SIZE", at)
	}
	if j.number != man.End-man.Start {
		rep.Fail(report.Integrity, "CLY_BUNDLE_JOURNAL_LINES", at)
	}
	if !j.v.options.Head && (j.badAt != 0 || j.segments != len(man.Segments)) {
		rep.Fail(report.Integrity, "CLY_BUNDLE_SEGMENT", report.OnLine(journalFile, j.badAt, ""))
	}
	if j.tree.Root() != man.Root {
		rep.Fail(report.Integrity, "CLY_BUNDLE_ROOT", at)
		rep.Fail(report.Completeness, "CLY_BUNDLE_ROOT", at)
	}
}

// judgeEnd is E12.
func (j *journal) judgeEnd() {
	rep := j.v.rep
	if !j.lastWasCut || !j.lastIsSealed {
		rep.Fail(report.Completeness, "CLY_BUNDLE_CUT", report.OnLine(journalFile, j.number, ""))
	}
	artifact, ok := j.v.sound[j.v.man.ClosingLedger]
	if !ok || artifact.Kind != "ledger" || j.v.ledger.Digest() != j.v.man.ClosingLedger {
		rep.Fail(report.Completeness, "CLY_LEDGER_CLOSING", report.In("manifest.json", "closing_ledger"))
	}
}
