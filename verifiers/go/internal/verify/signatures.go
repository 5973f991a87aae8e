// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"crypto/sha256"
	"encoding/hex"
	"runtime"
	"slices"
	"strconv"
	"sync"

	"clyra.dev/verifiers/go/internal/line"
	"clyra.dev/verifiers/go/internal/merkle"
	"clyra.dev/verifiers/go/internal/report"
	"clyra.dev/verifiers/go/internal/signing"
	"clyra.dev/verifiers/go/internal/strictjson"
)

// Types of what processes sign.
const (
	changeType      = "application/vnd.clyra.change.v0+json"
	receiptType     = "application/vnd.clyra.receipt.v0+json"
	observationType = "application/vnd.clyra.observation.v0+json"
	commandType     = "application/vnd.clyra.command.v0+json"
)

const maxSend = 1_024

// fault is a failure of authorship on one line; order tells the places within it.
type fault struct {
	line   int64
	order  int
	code   string
	member string
}

// job is one Ed25519 check.
type job struct {
	key       signing.PublicKey
	signature [64]byte
	message   []byte
	fault     fault
}

// sent names one signature over one send; all bodies of a send share it, and it is checked once.
type sent struct {
	key       [16]byte
	kind      string
	signature [64]byte
	root      [32]byte
	size      int64
}

const (
	maxFaults = 64
	maxSent   = 4_096
	queue     = 256
)

// signatures checks in parallel and brings the faults back into the order of the lines.
type signatures struct {
	v       *verifier
	jobs    chan job
	workers sync.WaitGroup
	lock    sync.Mutex
	faults  []fault
	sent    map[sent]struct{}
	block   line.Block
	scratch []byte
}

func newSignatures(v *verifier, workers int) *signatures {
	s := &signatures{v: v, sent: map[sent]struct{}{}}
	if v.root == nil {
		return s
	}
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	s.jobs = make(chan job, queue)
	for range workers {
		s.workers.Go(func() {
			for work := range s.jobs {
				if !signing.Verify(work.key, work.message, work.signature[:]) {
					s.add(work.fault)
				}
			}
		})
	}
	return s
}

func compareFaults(a, b fault) int {
	if a.line != b.line {
		return int(a.line - b.line)
	}
	return a.order - b.order
}

// add keeps the earliest faults.
func (s *signatures) add(f fault) {
	s.lock.Lock()
	defer s.lock.Unlock()
	at, _ := slices.BinarySearchFunc(s.faults, f, compareFaults)
	s.faults = slices.Insert(s.faults, at, f)
	if len(s.faults) > maxFaults {
		s.faults = s.faults[:maxFaults]
	}
}

// finish waits for what is under way and reports.
func (s *signatures) finish() {
	if s.jobs == nil {
		return
	}
	close(s.jobs)
	s.workers.Wait()
	for _, f := range s.faults {
		s.v.rep.Fail(report.Authorship, f.code, report.OnLine(journalFile, f.line, f.member))
	}
}

// judge judges the block over one body.
func (s *signatures) judge(block line.Signature, bodyDigest [32]byte, f fault, kind string, time int64, roles ...string) {
	block.Read(&s.block)
	key, code := s.v.ring.Judge(s.block.KeyID, time, roles...)
	if code == "" && s.block.Size > maxSend {
		code = "CLY_SIG_PATH"
	}
	var root merkle.Hash
	if code == "" {
		var ok bool
		leaf := merkle.Leaf(bodyDigest[:], &s.scratch)
		root, ok = merkle.RootFromPath(uint64(s.block.Index), uint64(s.block.Size), leaf, s.block.Path[:s.block.PathLength])
		if !ok {
			code = "CLY_SIG_PATH"
		}
	}
	if code != "" {
		f.code = code
		s.add(f)
		return
	}
	once := sent{s.block.KeyID, kind, s.block.Signature, root, s.block.Size}
	if _, done := s.sent[once]; done {
		return
	}
	if len(s.sent) >= maxSent {
		clear(s.sent)
	}
	s.sent[once] = struct{}{}
	f.code = "CLY_SIG_INVALID"
	payload := append(hex.AppendEncode([]byte(`{"root":"`), root[:]), `","size":`...)
	payload = append(strconv.AppendInt(payload, s.block.Size, 10), '}')
	s.jobs <- job{key.Public, s.block.Signature, signing.AppendPAE(nil, kind, payload), f}
}

// judgeSignaturesOfLine judges change and receipt of a decided line.
func (j *journal) judgeSignaturesOfLine(changeDigest [32]byte) {
	l := &j.line
	j.noteSigner(0, l.Change.Sig)
	if !l.Receipt.Recorded {
		j.noteSigner(1, l.Receipt.Sig)
	}
	if j.v.root == nil || j.v.options.Head && !l.Receipt.IsCut {
		return
	}
	if !refusedAsUnsigned(&l.Receipt) {
		j.signatures.judge(l.Change.Sig, changeDigest, fault{line: j.number, order: 0, member: "change"}, changeType, l.AppendTime, "intake")
	}
	if !l.Receipt.Recorded {
		digest := sha256.Sum256(l.Receipt.Value.Raw())
		j.signatures.judge(l.Receipt.Sig, digest, fault{line: j.number, order: 1, member: "receipt"}, receiptType, l.AppendTime, "enforcer")
	}
}

// refusedAsUnsigned says that the receipt itself says that nobody signed the change.
func refusedAsUnsigned(r *line.Receipt) bool {
	if r.Recorded {
		return r.Effect.TextIs("ignored")
	}
	if r.Decision != "block" || r.Reasons.Kind() != strictjson.Array {
		return false
	}
	for reason := range r.Reasons.Each {
		if reason.Get("code").TextIs("CLY_CHANGE_SIGNATURE") {
			return true
		}
	}
	return false
}

// anyObserver may sign an observation of a kind that v0 does not name: it has no effect.
var anyObserver = []string{"intake", "enforcer", "recorder", "bundler", "attestor", "operator"}

var observers = map[string][]string{
	"transaction": {"recorder"}, "watermark": {"recorder"}, "gap": {"recorder", "intake"}, "coverage": {"recorder"},
	"outage":   {"intake", "enforcer", "recorder", "bundler", "attestor"},
	"accessed": {"bundler", "attestor", "operator"},
	"document": {"intake", "enforcer", "recorder", "bundler", "attestor"},
}

func (j *journal) judgeObservationSignature() {
	o := &j.line.Observation
	if o.Name == "transaction" {
		j.noteSigner(2, o.Sig)
	}
	if j.v.root == nil || j.v.options.Head {
		return
	}
	roles, known := observers[o.Name]
	if !known {
		roles = anyObserver
	}
	digest := sha256.Sum256(o.Value.Raw())
	j.signatures.judge(o.Sig, digest, fault{line: j.number, order: 2, member: "observation"}, observationType, j.line.AppendTime, roles...)
}

const maxSigners = 4_096

// noteSigner remembers who signed what, for the separation that the manifest claims.
func (j *journal) noteSigner(place int, block line.Signature) {
	if j.v.man.Separation == "none" || len(j.signers[place]) >= maxSigners {
		return
	}
	// One process signs many lines in a row.
	if text := block.KeyText(); string(text) != string(j.lastSigners[place]) {
		j.lastSigners[place] = append(j.lastSigners[place][:0], text...)
		j.signers[place][block.KeyID()] = true
	}
}
