// SPDX-License-Identifier: Apache-2.0

// Package report collects what was found, as the claims of docs/spec/verification.md, and says it as an exit code.
package report

// Claim is the id of a claim.
type Claim int

// The claims, in the order of the report.
const (
	Integrity Claim = iota
	Order
	Completeness
	Authorship
	Policy
	Reconciliation
	Coverage
	Reperformance
	Time
	Witness
	Disclosure
	claimCount
)

var claimNames = [claimCount]string{
	"integrity", "order", "completeness", "authorship", "policy", "reconciliation", "coverage", "reperformance", "time",
	"witness", "disclosure",
}

func (c Claim) String() string { return claimNames[c] }

// ClaimByName finds a claim.
func ClaimByName(name string) (Claim, bool) {
	for claim, known := range claimNames {
		if known == name {
			return Claim(claim), true
		}
	}
	return 0, false
}

// Status of a claim.
type Status string

// The statuses; a claim that nothing was said about passes.
const (
	Pass        Status = "PASS"
	Fail        Status = "FAIL"
	Partial     Status = "PARTIAL"
	Absent      Status = "ABSENT"
	Unsupported Status = "UNSUPPORTED"
)

// Location is where something is wrong. Lines count from 1, bytes from 0; zero Line and negative Byte are unknown.
type Location struct {
	File   string
	Line   int64
	Byte   int
	Member string
}

// In is a location in a file as a whole or in one member of it.
func In(file, member string) *Location { return &Location{File: file, Byte: -1, Member: member} }

// OnLine is a location on one line of a file.
func OnLine(file string, line int64, member string) *Location {
	return &Location{File: file, Line: line, Byte: -1, Member: member}
}

// Result is what one claim came to.
type Result struct {
	Claim    Claim
	Status   Status
	Code     string
	Location *Location
}

// Report is all claims, and whether reading had to stop.
type Report struct {
	results   [claimCount]Result
	malformed bool
	version   bool
	failures  []Result
	total     int
}

// MaxFailures is how many failures a report lists.
const MaxFailures = 50

// New is a report in which nothing is wrong yet.
func New() *Report {
	r := &Report{}
	for claim := range claimCount {
		r.results[claim] = Result{Claim: claim, Status: Pass}
	}
	return r
}

func rank(status Status) int {
	switch status {
	case Fail:
		return 3
	case Unsupported:
		return 2
	case Partial, Absent:
		return 1
	}
	return 0
}

// Note says something about a claim. What weighs more stands; of equals the first.
func (r *Report) Note(claim Claim, status Status, code string, at *Location) {
	result := Result{claim, status, code, at}
	if status == Fail {
		r.total++
		if len(r.failures) < MaxFailures {
			r.failures = append(r.failures, result)
		}
	}
	if rank(status) > rank(r.results[claim].Status) {
		r.results[claim] = result
	}
}

// Fail notes a failure.
func (r *Report) Fail(claim Claim, code string, at *Location) { r.Note(claim, Fail, code, at) }

// Malformed notes what ends the reading: nothing else is said about the bundle.
func (r *Report) Malformed(code string, at *Location) {
	*r = *New()
	r.malformed = true
	r.notReached()
	r.results[Integrity] = Result{Claim: Integrity}
	r.Fail(Integrity, code, at)
}

// Unread notes that something could not be read: nothing at all is said about the bundle.
func (r *Report) Unread() {
	*r = *New()
	r.notReached()
}

func (r *Report) notReached() {
	for claim := range claimCount {
		r.results[claim] = Result{claim, Absent, "CLY_CLAIM_NOT_REACHED", nil}
	}
}

// OtherVersion notes that the bundle is of a version, or has a profile, that v0 does not know.
func (r *Report) OtherVersion(at *Location) {
	*r = *New()
	r.version = true
	for claim := range claimCount {
		r.results[claim] = Result{claim, Unsupported, "CLY_BUNDLE_FORMAT", at}
	}
}

// Stopped says whether reading ended early.
func (r *Report) Stopped() bool { return r.malformed || r.version }

// Of is the result of one claim.
func (r *Report) Of(claim Claim) Result { return r.results[claim] }

// Failures are the first ones, and how many there were.
func (r *Report) Failures() ([]Result, int) { return r.failures, r.total }

// Exit codes of a verification.
const (
	ExitValid        = 0
	ExitInvalid      = 1
	ExitMalformed    = 2
	ExitUnsupported  = 3
	ExitPolicyNotMet = 4
	ExitIO           = 5
)

// Exit is the code for a reader who requires those claims.
func (r *Report) Exit(required []Claim) int {
	if r.malformed {
		return ExitMalformed
	}
	for claim := range claimCount {
		if claim != Coverage && r.results[claim].Status == Fail {
			return ExitInvalid
		}
	}
	if r.version {
		return ExitUnsupported
	}
	for _, claim := range required {
		if r.results[claim].Status == Unsupported {
			return ExitUnsupported
		}
	}
	for _, claim := range required {
		if r.results[claim].Status != Pass {
			return ExitPolicyNotMet
		}
	}
	return ExitValid
}
