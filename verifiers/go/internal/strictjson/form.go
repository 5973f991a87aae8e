// SPDX-License-Identifier: Apache-2.0

package strictjson

import "sort"

// form is what a document was like: the same texts stand between plain scalars of the same kinds. What is of the form of a
// record is a record too, with the same names in the same order as deep, so that nothing but its scalars is left to judge.
type form struct {
	depth int
	// nodes are those of the document that was read last.
	nodes []node
	// text is the gaps between the scalars, one behind the other; slots are the scalars, fixed the other values.
	text  []byte
	slots []slot
	fixed []fixed
	// starts is where each gap stands in the document that was read last.
	starts []int
	// next is the form that a document behind one of this form had.
	next int
}

// named is where a value's name stands before it; the zero named is none.
type named struct{ back, length uint32 }

func (n named) put(into *node) {
	if n.back > 0 {
		into.nameStart = into.start - n.back
		into.nameEnd = into.nameStart + n.length
	}
}

// slot is one scalar, with the end of the gap before it.
type slot struct {
	named
	node, gapEnd int
}

// place is a place within a gap.
type place struct{ gap, at int }

// fixed is a container or a word; it begins and ends within gaps.
type fixed struct {
	named
	node        int
	first, last place
}

// read gives the byte behind a document of the form that begins at a byte, or 0, and how many of the form's scalars it met.
func (f *form) read(data []byte, at int) (end, met int) {
	gapStart := 0
	for i := range f.slots {
		s := &f.slots[i]
		gap := f.text[gapStart:s.gapEnd]
		if len(data)-at < len(gap) || string(data[at:at+len(gap)]) != string(gap) {
			return 0, i
		}
		f.starts[i] = at
		at += len(gap)
		behind, kind := plainEnd(data, at)
		n := &f.nodes[s.node]
		if behind == 0 || kind != n.kind {
			return 0, i
		}
		n.start, n.end = uint32(at), uint32(behind)
		s.put(n)
		at, gapStart = behind, s.gapEnd
	}
	gap := f.text[gapStart:]
	if len(data)-at < len(gap) || string(data[at:at+len(gap)]) != string(gap) {
		return 0, len(f.slots)
	}
	f.starts[len(f.slots)] = at
	for i := range f.fixed {
		one := &f.fixed[i]
		n := &f.nodes[one.node]
		n.start, n.end = uint32(f.starts[one.first.gap]+one.first.at), uint32(f.starts[one.last.gap]+one.last.at)
		one.put(n)
	}
	return at + len(gap), len(f.slots)
}

// learn takes the form of a document; false when it has scalars that are not plain.
func (f *form) learn(d *Doc, at, end, depth int) bool {
	f.depth, f.nodes, f.text = depth, append(f.nodes[:0], d.nodes...), f.text[:0]
	f.slots, f.fixed, f.starts = f.slots[:0], f.fixed[:0], append(f.starts[:0], at)
	for i := range f.nodes {
		n := &f.nodes[i]
		name := named{}
		if n.nameEnd > 0 {
			name = named{n.start - n.nameStart, n.nameEnd - n.nameStart}
		}
		gap := len(f.slots)
		switch n.kind {
		case String, Number:
			if behind, _ := plainEnd(d.data, int(n.start)); behind != int(n.end) {
				return false
			}
			f.text = append(f.text, d.data[f.starts[gap]:n.start]...)
			f.slots = append(f.slots, slot{name, i, len(f.text)})
			f.starts = append(f.starts, int(n.end))
		default:
			f.fixed = append(f.fixed, fixed{named: name, node: i, first: place{gap, int(n.start) - f.starts[gap]}})
		}
	}
	f.text = append(f.text, d.data[f.starts[len(f.slots)]:end]...)
	for i := range f.fixed {
		one := &f.fixed[i]
		n := &f.nodes[one.node]
		// The gap behind all scalars within.
		gap := sort.Search(len(f.slots), func(k int) bool { return f.slots[k].node >= int(n.next) })
		one.last = place{gap, int(n.end) - f.starts[gap]}
	}
	return true
}

const (
	maxForms     = 6
	maxFormNodes = 256
	maxFormBytes = 4_096
	// maxInVain is how many scalars of other forms may be read before a document is read by itself.
	maxInVain = 16
	// patience is how many misses, a hit making good for two, turn forms off for all but each so many-th document.
	patience = 8
)

// forms are those of a Doc, with the one that was met last.
type forms struct {
	list   [maxForms]form
	count  int
	oldest int
	now    int
	misses int
	turn   int
	tried  bool
}

// readForm reads a document by a known form, and gives the byte behind it, or 0.
func (d *Doc) readForm(data []byte, at, depth int) int {
	fs := &d.forms
	fs.turn++
	if fs.tried = fs.misses < patience || fs.turn%patience == 0; !fs.tried {
		return 0
	}
	expected, inVain := fs.list[fs.now].next, 0
	for i := 0; i < fs.count && inVain < maxInVain; i++ {
		// The expected one is tried first, and the others behind it.
		k := expected + i
		if k >= fs.count {
			k -= fs.count
		}
		f := &fs.list[k]
		if f.depth != depth {
			continue
		}
		end, met := f.read(data, at)
		if end > 0 {
			d.nodes = f.nodes
			fs.misses = max(fs.misses-2, 0)
			fs.goTo(k)
			return end
		}
		inVain += met
	}
	return 0
}

func (fs *forms) goTo(k int) {
	fs.list[fs.now].next = k
	fs.now = k
}

// remember learns the form of a document that was read by itself, in place of the one learned longest ago.
func (d *Doc) remember(at, end, depth int) {
	fs := &d.forms
	if !fs.tried {
		return
	}
	fs.misses = min(fs.misses+1, 2*patience)
	if len(d.nodes) > maxFormNodes || end-at > maxFormBytes {
		return
	}
	k := fs.oldest
	f := &fs.list[k]
	if !f.learn(d, at, end, depth) {
		f.depth = 0
		return
	}
	f.next = 0
	fs.count = max(fs.count, k+1)
	fs.oldest = (k + 1) % maxForms
	fs.goTo(k)
}
