// SPDX-License-Identifier: Apache-2.0

// Package merkle is the RFC 6962 tree with SHA-256: compact ranges, inclusion and consistency.
package merkle

import (
	"crypto/sha256"
	"math/bits"
)

// Hash is one SHA-256 digest.
type Hash = [sha256.Size]byte

// Leaf hashes the data of one leaf. The scratch buffer grows as needed and may be used again.
func Leaf(data []byte, scratch *[]byte) Hash {
	*scratch = append(append((*scratch)[:0], 0), data...)
	return sha256.Sum256(*scratch)
}

// Node hashes two subtrees into one.
func Node(left, right Hash) Hash {
	var buffer [1 + 2*sha256.Size]byte
	buffer[0] = 1
	copy(buffer[1:], left[:])
	copy(buffer[1+sha256.Size:], right[:])
	return sha256.Sum256(buffer[:])
}

// Range is a compact range [0,size): the roots of its perfect subtrees, the largest first.
type Range struct {
	size  uint64
	roots []Hash
}

// NewRange takes the roots of the perfect subtrees of size; ok is false when their number does not fit.
func NewRange(size uint64, roots []Hash) (r *Range, ok bool) {
	if bits.OnesCount64(size) != len(roots) {
		return nil, false
	}
	return &Range{size: size, roots: append(make([]Hash, 0, 64), roots...)}, true
}

// Size is the number of leaves.
func (r *Range) Size() uint64 { return r.size }

// Reset makes the range empty again.
func (r *Range) Reset() { r.size, r.roots = 0, r.roots[:0] }

// Append adds one leaf.
func (r *Range) Append(leaf Hash) {
	for carry := r.size; carry&1 == 1; carry >>= 1 {
		last := len(r.roots) - 1
		leaf = Node(r.roots[last], leaf)
		r.roots = r.roots[:last]
	}
	r.roots = append(r.roots, leaf)
	r.size++
}

// Roots are the perfect subtrees, the largest first. The caller must not keep the slice.
func (r *Range) Roots() []Hash { return r.roots }

// Root folds the subtrees, the smallest first; the root of nothing is the digest of nothing.
func (r *Range) Root() Hash {
	if r.size == 0 {
		return sha256.Sum256(nil)
	}
	root := r.roots[len(r.roots)-1]
	for i := len(r.roots) - 2; i >= 0; i-- {
		root = Node(r.roots[i], root)
	}
	return root
}

// RootFromPath is the root that an audit path (lowest sibling first) gives for a leaf; ok is false when the path does not
// have the length that index and size ask for, or the index lies outside.
func RootFromPath(index, size uint64, leaf Hash, path []Hash) (root Hash, ok bool) {
	if index >= size {
		return Hash{}, false
	}
	inner := bits.Len64(index ^ (size - 1))
	border := bits.OnesCount64(index >> uint(inner))
	if len(path) != inner+border {
		return Hash{}, false
	}
	root = leaf
	for level, sibling := range path {
		if level < inner && index>>uint(level)&1 == 0 {
			root = Node(root, sibling)
		} else {
			root = Node(sibling, root)
		}
	}
	return root, true
}

// Consistent checks an RFC 6962 consistency proof between two sizes of one tree.
func Consistent(size1, size2 uint64, root1, root2 Hash, proof []Hash) bool {
	switch {
	case size1 == 0 || size1 > size2:
		// Nothing is before every tree, so there is nothing that a proof could say.
		return false
	case size1 == size2:
		return len(proof) == 0 && root1 == root2
	}
	shift := bits.TrailingZeros64(size1)
	inner := bits.Len64((size1-1)^(size2-1)) - shift
	seed, start := root1, 0
	if size1 != 1<<uint(shift) {
		if len(proof) == 0 {
			return false
		}
		seed, start = proof[0], 1
	}
	border := bits.OnesCount64((size1 - 1) >> uint(inner+shift))
	if len(proof) != start+inner+border {
		return false
	}
	index := (size1 - 1) >> uint(shift)
	old, grown := seed, seed
	for level, sibling := range proof[start:] {
		if level >= inner || index>>uint(level)&1 == 1 {
			old = Node(sibling, old)
			grown = Node(sibling, grown)
		} else {
			grown = Node(grown, sibling)
		}
	}
	return old == root1 && grown == root2
}
