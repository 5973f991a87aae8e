// SPDX-License-Identifier: Apache-2.0

// Package mutate damages bundles by seed, so that two verifiers can be compared on what nobody thought of.
package mutate

import (
	"bytes"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
)

// Files is a bundle in memory, by path.
type Files map[string][]byte

// Load reads a folder.
func Load(root string) (Files, error) {
	files := Files{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		relative, _ := filepath.Rel(root, path)
		files[filepath.ToSlash(relative)] = data
		return err
	})
	return files, err
}

// Names in a fixed order, so that a seed always does the same.
func (f Files) Names() []string {
	names := make([]string, 0, len(f))
	for name := range f {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Write puts a file into the folder.
func Write(folder, name string, data []byte) error {
	path := filepath.Join(folder, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o600)
}

// Kind of a mutation.
type Kind string

// The kinds: of any bytes, of tokens so that texts keep their grammar, and of tokens with the seals made anew.
const (
	Raw    Kind = "raw"
	Token  Kind = "token"
	Signed Kind = "signed"
)

// Mutation is one damaged bundle: what differs from the good one.
type Mutation struct {
	Kind    Kind
	What    string
	Changed Files
}

// Make makes the mutation of a seed: a tenth signed anew, half of the rest of tokens.
func (m *Maker) Make(seed uint64) Mutation {
	random := rand.New(rand.NewPCG(seed, 0x636c797261))
	switch draw := random.IntN(100); {
	case draw < 12:
		return m.signed(random)
	case draw < 60:
		name, data, what := m.token(random, false)
		return Mutation{Token, what, Files{name: data}}
	default:
		name := m.pick(random, m.names)
		data, what := rawChange(random, m.Good[name])
		return Mutation{Raw, what + " " + name, Files{name: data}}
	}
}

func (m *Maker) pick(random *rand.Rand, names []string) string { return names[random.IntN(len(names))] }

// rawChange damages bytes without looking at what they say.
func rawChange(random *rand.Rand, data []byte) ([]byte, string) {
	out := bytes.Clone(data)
	if len(out) == 0 {
		return []byte{byte(random.IntN(256))}, "insert"
	}
	at := random.IntN(len(out))
	switch random.IntN(6) {
	case 0, 1:
		out[at] ^= 1 << random.IntN(8)
		return out, "flip"
	case 2:
		out[at] = byte(random.IntN(256))
		return out, "overwrite"
	case 3:
		return slices.Insert(out, at, byte(random.IntN(256))), "insert"
	case 4:
		return slices.Delete(out, at, min(len(out), at+1+random.IntN(8))), "delete"
	default:
		end := min(len(out), at+1+random.IntN(64))
		return slices.Insert(out, end, bytes.Clone(out[at:end])...), "repeat"
	}
}
