// SPDX-License-Identifier: Apache-2.0

// Package verify judges a bundle by docs/spec/verification.md, in the order of its §3.
package verify

import (
	"errors"
	"io/fs"
	"os"

	"clyra.dev/verifiers/go/internal/archive"
	"clyra.dev/verifiers/go/internal/ledger"
	"clyra.dev/verifiers/go/internal/line"
	"clyra.dev/verifiers/go/internal/manifest"
	"clyra.dev/verifiers/go/internal/note"
	"clyra.dev/verifiers/go/internal/report"
	"clyra.dev/verifiers/go/internal/shape"
	"clyra.dev/verifiers/go/internal/strictjson"
	"clyra.dev/verifiers/go/internal/trust"
)

// Options is what a reader passes.
type Options struct {
	Bundle      string
	TrustRoot   string
	Policy      string
	Previous    string
	Disclosures string
	// Head asks only for the signatures of cuts.
	Head bool
	// Workers bounds the signatures that are checked at once; 0 is one per processor.
	Workers int
	// Source gives the files; nil is the file system.
	Source Source
}

// Source gives the files of a verification.
type Source interface {
	// Open lists the files of a bundle.
	Open(path string) (*archive.Bundle, *archive.Fault, error)
	// Read gives a file of the reader; of one that is longer than the limit any part that is longer.
	Read(path string, limit int64) ([]byte, error)
}

type fileSystem struct{}

func (fileSystem) Open(path string) (*archive.Bundle, *archive.Fault, error) {
	return archive.Open(path)
}

func (fileSystem) Read(path string, limit int64) ([]byte, error) { return readLimited(path, limit) }

// Policy is which claims a reader requires.
type Policy struct {
	Name    string
	Require []report.Claim
}

// Outcome is a finished verification.
type Outcome struct {
	Report   *report.Report
	Policy   Policy
	Root     *trust.Root
	Manifest *manifest.Manifest
	Findings *Findings
	// Err is set when something could not be read: exit code 5.
	Err error
}

// Exit is the exit code.
func (o *Outcome) Exit() int {
	if o.Err != nil {
		return report.ExitIO
	}
	return o.Report.Exit(o.Policy.Require)
}

// verifier is one verification under way.
type verifier struct {
	options     Options
	out         *Outcome
	rep         *report.Report
	root        *trust.Root
	ring        *trust.Ring
	previous    *note.Checkpoint
	disclosures []disclosure

	bundle     *archive.Bundle
	man        *manifest.Manifest
	statement  *manifest.Statement
	checkpoint *note.Checkpoint
	log        *note.Checkpoint
	// further are the cosignatures; secondLog says that another line has the log's name.
	further   []note.Signature
	secondLog bool
	tokens    []string

	cutKnown bool
	cutTime  int64

	// sound holds the listed artifacts whose bytes are those of the list.
	sound    map[[32]byte]manifest.Artifact
	policies map[[32]byte]bool
	ledger   *ledger.Ledger
	journal  *journal
}

// Bundle verifies.
func Bundle(options Options) *Outcome {
	v := &verifier{options: options, rep: report.New(), sound: map[[32]byte]manifest.Artifact{}, policies: map[[32]byte]bool{}}
	v.out = &Outcome{Report: v.rep, Policy: defaultPolicy()}
	if v.options.Source == nil {
		v.options.Source = fileSystem{}
	}
	for _, step := range []func() error{v.readReaderFiles, v.openBundle, v.readDocuments, v.judge} {
		if err := step(); err != nil {
			v.out.Err = err
			v.rep.Unread()
			break
		}
		if v.rep.Stopped() {
			break
		}
	}
	if v.bundle != nil {
		v.bundle.Close()
	}
	return v.out
}

func defaultPolicy() Policy {
	policy := Policy{Name: "default"}
	for claim := report.Integrity; claim <= report.Disclosure; claim++ {
		if claim != report.Reperformance && claim != report.Disclosure {
			policy.Require = append(policy.Require, claim)
		}
	}
	return policy
}

// readLimited reads a reader's file; beyond the limit it is malformed, which the one byte more shows.
func readLimited(path string, limit int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data := make([]byte, 0, 4_096)
	for int64(len(data)) <= limit {
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
		n, err := file.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		if err != nil {
			if n == 0 && err.Error() == "EOF" {
				return data, nil
			}
			return nil, err
		}
	}
	return data, nil
}

// readReaderFiles is step A.
func (v *verifier) readReaderFiles() error {
	if v.options.TrustRoot != "" {
		data, err := v.options.Source.Read(v.options.TrustRoot, trust.MaxBytes)
		if err != nil {
			return err
		}
		root, member, ok := trust.Parse(data)
		if !ok {
			v.rep.Malformed("CLY_TRUST_ROOT_SHAPE", report.In(v.options.TrustRoot, member))
			return nil
		}
		v.root, v.out.Root, v.ring = root, root, &trust.Ring{Root: root}
	}
	if v.options.Policy != "" {
		data, err := v.options.Source.Read(v.options.Policy, maxPolicyBytes)
		if err != nil {
			return err
		}
		if v.out.Policy, err = parsePolicy(data); err != nil {
			v.out.Policy = defaultPolicy()
			v.rep.Malformed("CLY_VERIFICATION_POLICY_SHAPE", report.In(v.options.Policy, ""))
			return nil
		}
	}
	return v.readPreviousAndDisclosures()
}

func (v *verifier) readPreviousAndDisclosures() error {
	if v.options.Previous != "" {
		data, err := v.options.Source.Read(v.options.Previous, note.MaxBytes)
		if err != nil {
			return err
		}
		previous, member, ok := note.Parse(data)
		if !ok {
			v.rep.Malformed("CLY_CHECKPOINT_SHAPE", report.In(v.options.Previous, member))
			return nil
		}
		v.previous = previous
	}
	if v.options.Disclosures != "" {
		data, err := v.options.Source.Read(v.options.Disclosures, maxDisclosureBytes)
		if err != nil {
			return err
		}
		var ok bool
		if v.disclosures, ok = parseDisclosures(data); !ok {
			v.rep.Malformed("CLY_DISCLOSURE_SHAPE", report.In(v.options.Disclosures, ""))
		}
	}
	return nil
}

const maxPolicyBytes = 65_536

var (
	errShape    = errors.New("not of its form")
	policyShape = shape.Closed("format", "name", "require")
)

func parsePolicy(data []byte) (policy Policy, err error) {
	var doc strictjson.Doc
	grammar := strictjson.Grammar{MaxBytes: maxPolicyBytes, MaxDepth: strictjson.MaxDepth, FreeForm: true}
	if doc.Parse(data, grammar) != nil {
		return policy, errShape
	}
	var c shape.Checker
	var f [3]strictjson.Value
	if !c.Fields(doc.Root(), "", policyShape, f[:]) || !f[0].TextIs("clyra/verification-policy/v0") {
		return policy, errShape
	}
	policy.Name = c.Text(f[1], "", "name", 0, maxPolicyBytes)
	if !c.Array(f[2], "", "require", int(report.Disclosure)+1) {
		return policy, errShape
	}
	seen := map[report.Claim]bool{}
	for element := range f[2].Each {
		name, _ := element.Text()
		claim, known := report.ClaimByName(name)
		if !known || seen[claim] {
			return policy, errShape
		}
		seen[claim] = true
		policy.Require = append(policy.Require, claim)
	}
	if !c.OK() {
		return policy, errShape
	}
	return policy, nil
}

// openBundle is step B.
func (v *verifier) openBundle() error {
	bundle, fault, err := v.options.Source.Open(v.options.Bundle)
	if err != nil {
		return err
	}
	if fault != nil {
		v.rep.Malformed(fault.Code, report.In(fault.File, ""))
		return nil
	}
	v.bundle = bundle
	return nil
}

// has says whether the bundle has a file.
func (v *verifier) has(name string) bool {
	_, ok := v.bundle.Size(name)
	return ok
}

// readDocuments is step C, with what of step B depends on the manifest.
func (v *verifier) readDocuments() error {
	data, err := v.bundle.ReadAll(manifest.File)
	if err != nil {
		return err
	}
	if logged := v.has(logFile); logged == manifest.IsExport(data) {
		code := archive.CodeMissing
		if logged {
			code = archive.CodeUnknown
		}
		v.rep.Malformed(code, report.In(logFile, ""))
		return nil
	}
	man, fault := manifest.Parse(data)
	switch {
	case fault != nil && fault.OtherVersion:
		v.rep.OtherVersion(report.In(manifest.File, fault.Member))
		return nil
	case fault != nil:
		at := report.In(manifest.File, fault.Member)
		at.Byte = fault.Byte
		v.rep.Malformed(fault.Code, at)
		return nil
	}
	v.man, v.out.Manifest = man, man
	return v.readSeals()
}

const (
	envelopeFile   = "manifest.dsse.json"
	checkpointFile = "checkpoint"
	logFile        = "bundle-log.checkpoint"
	journalFile    = "journal.jsonl"
	replayFile     = "replay.dsse.json"
)

func (v *verifier) readSeals() error {
	data, err := v.bundle.ReadAll(envelopeFile)
	if err != nil {
		return err
	}
	statement, grammar, ok := manifest.ParseStatement(data)
	switch {
	case grammar != nil:
		at := report.In(envelopeFile, "")
		at.Byte = grammar.Offset
		v.rep.Malformed(grammar.Code, at)
		return nil
	case !ok:
		v.rep.Malformed("CLY_DSSE_SHAPE", report.In(envelopeFile, ""))
		return nil
	}
	v.statement = statement
	if v.checkpoint, err = v.readNote(checkpointFile); err != nil || v.rep.Stopped() {
		return err
	}
	if len(v.checkpoint.Signatures)+len(v.bundle.In("cosignatures")) > note.MaxSignatures {
		v.rep.Malformed("CLY_CHECKPOINT_SHAPE", report.In(checkpointFile, "signatures"))
		return nil
	}
	if !v.man.Export {
		v.log, err = v.readNote(logFile)
	}
	return err
}

func (v *verifier) readNote(name string) (*note.Checkpoint, error) {
	data, err := v.bundle.ReadAll(name)
	if err != nil {
		return nil, err
	}
	parsed, member, ok := note.Parse(data)
	if !ok {
		v.rep.Malformed("CLY_CHECKPOINT_SHAPE", report.In(name, member))
	}
	return parsed, nil
}

// judge is step E, or §5 for an export.
func (v *verifier) judge() error {
	if err := v.readCutTime(); err != nil {
		return err
	}
	v.judgeNamedRoot()
	steps := []func() error{v.judgeUnlisted, v.judgeTimes, v.judgeArtifacts, v.judgePolicies}
	if !v.man.Export {
		steps = append(steps, v.judgeState, v.openLedger)
	}
	steps = append(steps, v.judgeJournal, v.judgeSeals, v.judgeReplay, v.judgeDisclosures)
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	v.judgeAbsent()
	return nil
}

// readCutTime takes the append time of the last line, if that line by itself is a decided one.
func (v *verifier) readCutTime() error {
	tail, err := v.bundle.ReadTail(journalFile, strictjson.MaxRecordBytes+2)
	if err != nil {
		return err
	}
	if len(tail) == 0 || tail[len(tail)-1] != '\n' {
		return nil
	}
	tail = tail[:len(tail)-1]
	for i := len(tail) - 1; i >= 0; i-- {
		if tail[i] == '\n' {
			tail = tail[i+1:]
			break
		}
	}
	var last line.Line
	if code, _, _ := last.Parse(tail); code == "" && last.Kind == line.Decided {
		v.cutKnown, v.cutTime = true, last.AppendTime
	}
	return nil
}

// IsNotThere says whether an error is that a file does not exist.
func IsNotThere(err error) bool { return errors.Is(err, fs.ErrNotExist) }
