// SPDX-License-Identifier: Apache-2.0

// Package suite reads the conformance suite schemas/vectors/bundles into memory; README.md there says what its members mean.
// encoding/json is good enough for it: the suite is ours.
package suite

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"clyra.dev/verifiers/go/internal/archive"
	"clyra.dev/verifiers/go/internal/verify"
)

// Claim is the id, status and code (empty for none) of one claim.
type Claim [3]string

// Case is one case: a bundle, what a reader passes, and what must come of it. A nil file is not passed.
type Case struct {
	Name string
	// Files is the bundle as a folder; nil when it is an archive.
	Files archive.Files
	Tar   []byte

	TrustRoot, Policy, Previous, Disclosures []byte

	Head   bool
	Exit   int
	Claims []Claim
}

// caseFile is a case.json.
type caseFile struct {
	Bundle, Policy, Previous, Disclosures, Mode string
	TrustRoot                                   string `json:"trust_root"`
	Steps                                       []step
	Expect                                      struct {
		ExitCode int `json:"exit_code"`
		Claims   [][3]*string
	}
}

// Load reads all cases, ascending by name.
func Load(folder string) ([]*Case, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*", "case.json"))
	if err != nil {
		return nil, err
	}
	cases := make([]*Case, 0, len(paths))
	for _, path := range paths {
		one, err := load(filepath.Dir(path))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		cases = append(cases, one)
	}
	return cases, nil
}

func load(folder string) (*Case, error) {
	var file caseFile
	data, err := os.ReadFile(filepath.Join(folder, "case.json"))
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, err
	}
	one := &Case{Name: filepath.Base(folder), Head: file.Mode == "head", Exit: file.Expect.ExitCode}
	for _, claim := range file.Expect.Claims {
		row := Claim{}
		for i, text := range claim {
			if text != nil {
				row[i] = *text
			}
		}
		one.Claims = append(one.Claims, row)
	}
	for name, into := range map[string]*[]byte{
		file.Bundle: &one.Tar, file.TrustRoot: &one.TrustRoot, file.Policy: &one.Policy, file.Previous: &one.Previous,
		file.Disclosures: &one.Disclosures,
	} {
		if name == "" {
			continue
		}
		if *into, err = os.ReadFile(filepath.Join(folder, filepath.FromSlash(name))); err != nil {
			return nil, err
		}
	}
	if len(file.Steps) == 0 {
		return one, nil
	}
	if one.Files, err = Unpack(one.Tar); err != nil {
		return nil, err
	}
	one.Tar = nil
	for _, s := range file.Steps {
		if err := s.apply(one.Files); err != nil {
			return nil, err
		}
	}
	return one, nil
}

// Unpack reads an archive with the verifier's own reader.
func Unpack(tar []byte) (archive.Files, error) {
	bundle, fault := archive.OpenTarBytes(tar)
	if fault != nil {
		return nil, fmt.Errorf("%s of %s", fault.Code, fault.File)
	}
	files := archive.Files{}
	for _, name := range bundle.Names() {
		data, err := bundle.ReadAll(name)
		if err != nil {
			return nil, err
		}
		files[name] = archive.Content{Bytes: data}
	}
	return files, nil
}

// Names under which a case in memory passes its reader's files.
const (
	trustRootName   = "trust-root.json"
	policyName      = "policy.json"
	previousName    = "previous"
	disclosuresName = "disclosures.jsonl"
)

// Options is the case as options of a verification, all of it in memory.
func (c *Case) Options() verify.Options {
	options := verify.Options{Bundle: "bundle", Head: c.Head, Workers: 1, Source: source{c}}
	for name, file := range map[string]struct {
		data []byte
		into *string
	}{
		trustRootName: {c.TrustRoot, &options.TrustRoot}, policyName: {c.Policy, &options.Policy},
		previousName: {c.Previous, &options.Previous}, disclosuresName: {c.Disclosures, &options.Disclosures},
	} {
		if file.data != nil {
			*file.into = name
		}
	}
	return options
}

// source gives what a case holds.
type source struct{ of *Case }

func (s source) Open(string) (*archive.Bundle, *archive.Fault, error) {
	if s.of.Files == nil {
		bundle, fault := archive.OpenTarBytes(s.of.Tar)
		return bundle, fault, nil
	}
	bundle, fault := archive.OpenFiles(s.of.Files)
	return bundle, fault, nil
}

func (s source) Read(path string, _ int64) ([]byte, error) {
	switch path {
	case trustRootName:
		return s.of.TrustRoot, nil
	case policyName:
		return s.of.Policy, nil
	case previousName:
		return s.of.Previous, nil
	default:
		return s.of.Disclosures, nil
	}
}
