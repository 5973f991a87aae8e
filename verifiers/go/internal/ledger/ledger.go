// SPDX-License-Identifier: Apache-2.0

// Package ledger is what a reader carries from one bundle to the next (docs/spec/journal.md §4), and the reconciliation
// that is judged by it (§5). It never grows beyond the limits of the format, so a reader's memory does not either.
package ledger

import (
	"crypto/sha256"
)

// Limits of a ledger.
const (
	MaxBytes       = 67_108_864
	maxGrantBytes  = 33_554_432
	maxPendBytes   = 8_388_608
	maxSources     = 1_024
	maxCovered     = 65_536
	maxRuns        = 65_536
	maxDelegations = 64
	maxSeen        = 4_096
	maxBlind       = 64
)

// Run is a run that is open.
type Run struct {
	NextSeq int64
	Head    [32]byte
}

// Place is a place in the log of a database.
type Place struct {
	System   string
	Timeline int64
	LSN      string
}

// Source is a database, or what else observations speak of.
type Source struct {
	Registered bool

	HasWatermark bool
	CoversUntil  int64
	WatermarkLSN string

	HasNewest bool
	Newest    Place

	HasCoverage   bool
	CoverageID    [16]byte
	CoverageScope string
	CoverageLSN   string
	Covered       map[string]struct{}
	Blind         []Blind
}

// Blind is something that a source cannot show.
type Blind struct {
	Code        string
	HasRelation bool
	Relation    string
}

// SeenKey names the newest observation of one kind.
type SeenKey struct{ Source, Of string }

// Relations is guarded relations by source.
type Relations map[string]map[string]struct{}

// Has says whether a relation is among them.
func (r Relations) Has(source, relation string) bool {
	_, ok := r[source][relation]
	return ok
}

// Equal says whether both are the same relations.
func (r Relations) Equal(other Relations) bool {
	if r.Count() != other.Count() {
		return false
	}
	for source, names := range r {
		for name := range names {
			if !other.Has(source, name) {
				return false
			}
		}
	}
	return true
}

// Count is the number of relations of all sources.
func (r Relations) Count() int {
	n := 0
	for _, names := range r {
		n += len(names)
	}
	return n
}

// Delegation is a key.delegated line that may still matter, as texts of its members.
type Delegation struct {
	AppendTime int64
	Command    []byte
	Signatures []byte
	ValidTo    int64
}

// Grant is what an allowed change may do to a source under its token.
type Grant struct {
	EventID    string
	Source     string
	Relations  *List
	Operations *List
	RowsMax    int64
	NotBefore  int64
	ExpiresAt  int64
	ReceiptID  [16]byte
	UsedBy     [16]byte
	Used       bool
}

// List is a list of texts that many grants share.
type List struct {
	Raw   string
	Items []string
}

// Has says whether the list holds the text.
func (l *List) Has(text string) bool {
	for _, item := range l.Items {
		if item == text {
			return true
		}
	}
	return false
}

// Ledger is the state of a reader between two lines.
type Ledger struct {
	NextSeq       int64
	Head          [32]byte
	HasPolicy     bool
	Policy        [32]byte
	TrustRoot     [32]byte
	LastDecidedAt int64
	LastOffset    int64
	HasOutcome    bool
	LastOutcomeAt int64

	Runs    map[string]Run
	Guarded Relations
	// Since is what any policy guarded since the last cut.
	Since       Relations
	Sources     map[string]*Source
	Seen        map[SeenKey][16]byte
	Delegations []Delegation
	Grants      map[[32]byte]*Grant
	// Pending is the lines of transactions that the next cut judges, without their LF.
	Pending [][]byte

	grantBytes int64
	pendBytes  int64
	covered    int
	lists      map[string]*List
}

// Genesis is the ledger of a tenant before its first line.
func Genesis(stream, tenant string) *Ledger {
	l := empty()
	l.Head = sha256.Sum256([]byte("clyra/tenant/v0\n" + stream + "\n" + tenant))
	l.LastOffset = -1
	return l
}

func empty() *Ledger {
	return &Ledger{
		Runs: map[string]Run{}, Guarded: Relations{}, Since: Relations{}, Sources: map[string]*Source{},
		Seen: map[SeenKey][16]byte{}, Grants: map[[32]byte]*Grant{}, lists: map[string]*List{},
	}
}

// RunGenesis is what the first body of a run links to.
func RunGenesis(tenant, run string) [32]byte {
	return sha256.Sum256([]byte("clyra/run/v0\n" + tenant + "\n" + run))
}

const maxSharedLists = 4_096

// shared gives one List for all equal texts; the memory of them is forgotten when there are too many different ones.
func (l *Ledger) shared(raw []byte, items func() []string) *List {
	if found, ok := l.lists[string(raw)]; ok {
		return found
	}
	if len(l.lists) >= maxSharedLists {
		clear(l.lists)
	}
	list := &List{Raw: string(raw), Items: items()}
	l.lists[list.Raw] = list
	return list
}
