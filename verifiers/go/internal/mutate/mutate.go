// SPDX-License-Identifier: Apache-2.0

// Package mutate damages bundles by seed, so that two verifiers can be compared on what nobody thought of. It starts from
// the cases of the conformance suite: each claim code is the code of some case, and what differs from a case by little
// mostly keeps its code or comes close to another.
package mutate

import (
	"maps"
	"math/rand/v2"

	"clyra.dev/verifiers/go/internal/archive"
	"clyra.dev/verifiers/go/internal/suite"
)

// Kind of a mutation.
type Kind string

// The kinds. Raw damages any bytes; Token keeps the grammar of texts; Place moves, removes and adds files, or takes those of
// another case; Signed changes tokens and makes digests, root and seals fit again; Relinked makes chains and signatures of
// lines fit too; Plain is the case itself.
const (
	Raw      Kind = "raw"
	Token    Kind = "token"
	Place    Kind = "place"
	Signed   Kind = "signed"
	Relinked Kind = "relinked"
	Plain    Kind = "plain"
)

// Mutation is one damaged case.
type Mutation struct {
	Kind Kind
	What string
	// Base is the number of the case, Case what became of it.
	Base int
	Case *suite.Case
}

// Maker makes mutations of cases.
type Maker struct {
	cases []*suite.Case
	keys  keys
	// resealed holds what sealing anew needs of each case; nil where its manifest or trust root cannot be read.
	resealed []*resealer
}

// maxCaseBytes leaves out the cases that are about size: their mutations would take all the time there is.
const maxCaseBytes = 128 << 10

// NewMaker takes the cases. The keys that sign anew follow from their names, so that a seed makes the same mutation anywhere.
func NewMaker(cases []*suite.Case) *Maker {
	m := &Maker{keys: newKeys()}
	for _, one := range cases {
		if sizeOf(one) <= maxCaseBytes {
			m.cases = append(m.cases, one)
			m.resealed = append(m.resealed, m.newResealer(one))
		}
	}
	return m
}

func sizeOf(one *suite.Case) int {
	size := len(one.Tar) + len(one.Disclosures) + len(one.TrustRoot)
	for _, content := range one.Files {
		size += len(content.Bytes)
	}
	return size
}

// Cases are those that mutations start from.
func (m *Maker) Cases() []*suite.Case { return m.cases }

// Make makes the mutation of a seed.
func (m *Maker) Make(seed uint64) Mutation {
	random := rand.New(rand.NewPCG(seed, 0x636c797261))
	base := random.IntN(len(m.cases))
	made := Mutation{Base: base, Case: clone(m.cases[base])}
	draw := random.IntN(100)
	switch r := m.resealed[base]; {
	case draw < 8 && r != nil:
		made.Kind, made.What = Relinked, r.relink(random, made.Case)
	case draw < 17 && r != nil:
		made.Kind, made.What = Signed, r.reseal(random, made.Case)
	case draw < 60:
		made.Kind, made.What = Token, changeSome(random, made.Case, changeText)
	case draw < 78:
		made.Kind, made.What = Place, m.replace(random, made.Case)
	default:
		made.Kind, made.What = Raw, changeSome(random, made.Case, rawChange)
	}
	if random.IntN(6) == 0 {
		made.Case.Head = !made.Case.Head
	}
	return made
}

// clone copies the case and its list of files; bytes are never changed in place.
func clone(one *suite.Case) *suite.Case {
	copied := *one
	copied.Files = maps.Clone(one.Files)
	return &copied
}

// put replaces one file of a case.
func put(one *suite.Case, name string, data []byte) {
	switch name {
	case inTar:
		one.Tar = data
	case inTrustRoot:
		one.TrustRoot = data
	case inPolicy:
		one.Policy = data
	case inPrevious:
		one.Previous = data
	case inDisclosures:
		one.Disclosures = data
	default:
		one.Files[name] = archive.Content{Bytes: data}
	}
}

// Names of what is no file of a bundle.
const (
	inTar         = "@tar"
	inTrustRoot   = "@trust-root"
	inPolicy      = "@policy"
	inPrevious    = "@previous"
	inDisclosures = "@disclosures"
)

// Flat lists everything of a case by name.
func Flat(one *suite.Case) archive.Files {
	flat := maps.Clone(one.Files)
	if flat == nil {
		flat = archive.Files{}
	}
	for name, data := range map[string][]byte{
		inTar: one.Tar, inTrustRoot: one.TrustRoot, inPolicy: one.Policy, inPrevious: one.Previous, inDisclosures: one.Disclosures,
	} {
		if data != nil {
			flat[name] = archive.Content{Bytes: data}
		}
	}
	return flat
}
