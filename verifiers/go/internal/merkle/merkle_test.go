// SPDX-License-Identifier: Apache-2.0

package merkle

import (
	"encoding/hex"
	"strings"
	"testing"

	"clyra.dev/verifiers/go/internal/vectors"
)

func TestRoots(t *testing.T) {
	type file struct {
		LeavesHex []string `json:"leaves_hex"`
		Roots     []string
	}
	v := vectors.File[file](t, "merkle/rfc6962-roots.json")
	tree, _ := NewRange(0, nil)
	var scratch []byte
	for i, want := range v.Roots {
		root := tree.Root()
		if got := hex.EncodeToString(root[:]); got != want {
			t.Errorf("root of %d leaves is %s, want %s", i, got, want)
		}
		if i < len(v.LeavesHex) {
			data, _ := hex.DecodeString(v.LeavesHex[i])
			tree.Append(Leaf(data, &scratch))
		}
	}
}

// A range that goes on from its roots, and every audit path of every small tree, agree with the tree built whole.
func TestPathsAndRanges(t *testing.T) {
	const most = 40
	leaves := make([]Hash, most)
	for i := range leaves {
		leaves[i][0] = byte(i)
	}
	for size := 1; size <= most; size++ {
		whole, _ := NewRange(0, nil)
		for _, leaf := range leaves[:size] {
			whole.Append(leaf)
		}
		for index := range size {
			path := auditPath(leaves[:size], index)
			root, ok := RootFromPath(uint64(index), uint64(size), leaves[index], path)
			if !ok || root != whole.Root() {
				t.Fatalf("leaf %d of %d: %v", index, size, ok)
			}
			if _, ok := RootFromPath(uint64(index), uint64(size), leaves[index], append(path, Hash{})); ok {
				t.Fatalf("leaf %d of %d: a longer path is accepted", index, size)
			}
		}
		again, ok := NewRange(whole.Size(), whole.Roots())
		if !ok || again.Root() != whole.Root() {
			t.Fatalf("range of %d", size)
		}
		if _, ok := NewRange(whole.Size()+1, whole.Roots()); ok && len(whole.Roots()) != popcount(size+1) {
			t.Fatalf("roots of %d are accepted for %d", size, size+1)
		}
	}
}

func popcount(n int) (bits int) {
	for ; n > 0; n >>= 1 {
		bits += n & 1
	}
	return bits
}

// auditPath follows RFC 6962 §2.1.1 word by word.
func auditPath(leaves []Hash, index int) []Hash {
	if len(leaves) == 1 {
		return nil
	}
	split := 1
	for split*2 < len(leaves) {
		split *= 2
	}
	if index < split {
		return append(auditPath(leaves[:split], index), treeRoot(leaves[split:]))
	}
	return append(auditPath(leaves[split:], index-split), treeRoot(leaves[:split]))
}

func treeRoot(leaves []Hash) Hash {
	r, _ := NewRange(0, nil)
	for _, leaf := range leaves {
		r.Append(leaf)
	}
	return r.Root()
}

type proofCase struct {
	Name               string
	Size1, Size2       uint64
	Root1, Root2, Root []byte
	LeafIdx, TreeSize  uint64
	LeafHash           []byte
	Proof              [][]byte
	WantErr            bool `json:"wantErr"`
}

func toHashes(list [][]byte) (hashes []Hash, ok bool) {
	for _, entry := range list {
		if len(entry) != 32 {
			return nil, false
		}
		hashes = append(hashes, Hash(entry))
	}
	return hashes, true
}

// anyRoot takes the suite's words that stand for some root too: they are only ever compared.
func anyRoot(text []byte) (root Hash) {
	copy(root[:], text)
	return root
}

func TestTransparencyDevVectors(t *testing.T) {
	run := 0
	for _, c := range vectors.Lines[proofCase](t, "external/merkle/cases.jsonl") {
		proof, ok := toHashes(c.Proof)
		switch {
		case strings.HasPrefix(c.Name, "inclusion/"):
			ok = ok && len(c.LeafHash) == 32 && len(c.Root) == 32
			if ok {
				root, fits := RootFromPath(c.LeafIdx, c.TreeSize, Hash(c.LeafHash), proof)
				ok = fits && root == Hash(c.Root)
			}
		case strings.HasPrefix(c.Name, "consistency/"):
			ok = ok && Consistent(c.Size1, c.Size2, anyRoot(c.Root1), anyRoot(c.Root2), proof)
		default:
			// Proofs of subtrees are no part of the format.
			continue
		}
		run++
		if ok == c.WantErr {
			t.Errorf("%s: accepted is %v", c.Name, ok)
		}
	}
	if run != 196 {
		t.Errorf("%d cases, not 196", run)
	}
	t.Logf("transparency-dev/merkle: %d inclusion and consistency cases", run)
}
