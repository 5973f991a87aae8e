// SPDX-License-Identifier: Apache-2.0

// Package strictjson reads JSON as docs/spec/records.md wants it: I-JSON without repair. One pass over the raw bytes decides
// too whether the text is the canonical one (RFC 8785) and keeps to the narrower record grammar.
//
// encoding/json is of no use here: it keeps the last of two equal names, matches names without regard to case, replaces
// bad UTF-8 and rounds integers.
package strictjson

import "slices"

// Kind is the kind of one JSON value.
type Kind uint8

// The kinds of JSON values.
const (
	Null Kind = iota
	False
	True
	Number
	String
	Array
	Object
)

// Node is one value of a document. Nodes stand in document order: the children of a container follow it directly, and
// Next is the index of the first node behind the whole value.
type node struct {
	start, end         uint32
	nameStart, nameEnd uint32
	next               uint32
	count              uint32
	kind               Kind
	escaped            bool
	nameEscaped        bool
	name               NameID
}

// Doc is a parsed document. It refers to the bytes it was parsed from and may be used again for the next document, so
// that reading a journal allocates nothing.
type Doc struct {
	data   []byte
	nodes  []node
	kept   []byte
	sorted bool

	// own are the nodes of a document that is read by itself, forms are those that are read as what documents before it were like.
	own   []node
	forms forms

	// last is the name that the document before ended with, known are all that are remembered.
	last    *knownName
	known   map[string]*knownName
	learned uint64
}

// more adds a node, which is zero, to be filled where it lies: copying one that was just made makes the processor wait.
func (d *Doc) more() *node {
	at := len(d.nodes)
	if at == cap(d.nodes) {
		d.nodes = slices.Grow(d.nodes, 1)
	}
	d.nodes = d.nodes[:at+1]
	n := &d.nodes[at]
	*n = node{}
	return n
}

// Kept is the text of the wanted member of a document that was read without nodes, nil when it has none.
func (d *Doc) Kept() []byte { return d.kept }

// Members is how many members the outermost object of such a document has.
func (d *Doc) Members() int { return int(d.nodes[0].count) }

// Value is one value within a Doc. The zero Value stands for an absent one.
type Value struct {
	doc   *Doc
	index uint32
}

// Sorted says that the members of the value's objects ascend by name.
func (v Value) Sorted() bool { return v.doc != nil && v.doc.sorted }

// NameAbove says whether the member's name stands behind another, by bytes.
func (v Value) NameAbove(other string) bool {
	n := v.node()
	return string(v.doc.data[n.nameStart:n.nameEnd]) > other
}

// Root is the outermost value.
func (d *Doc) Root() Value { return Value{d, 0} }

// Bytes is the text the document was parsed from.
func (d *Doc) Bytes() []byte { return d.data }

// Present says whether the value exists at all.
func (v Value) Present() bool { return v.doc != nil }

func (v Value) node() *node { return &v.doc.nodes[v.index] }

// Kind of the value; an absent one is reported as Null, so callers that care ask Present first.
func (v Value) Kind() Kind {
	if v.doc == nil {
		return Null
	}
	return v.node().kind
}

// IsNull says that the value is there and null.
func (v Value) IsNull() bool { return v.doc != nil && v.node().kind == Null }

// Raw is the text of the value as it stands in the document.
func (v Value) Raw() []byte {
	if v.doc == nil {
		return nil
	}
	n := v.node()
	return v.doc.data[n.start:n.end]
}

// Start is the offset of the value's first byte.
func (v Value) Start() int {
	if v.doc == nil {
		return 0
	}
	return int(v.node().start)
}

// Len is the number of members or elements.
func (v Value) Len() int {
	if v.doc == nil {
		return 0
	}
	return int(v.node().count)
}

// Get is the member of that name, absent when there is none or the value is no object.
func (v Value) Get(name string) Value {
	if v.doc == nil || v.node().kind != Object {
		return Value{}
	}
	end := v.node().next
	for i := v.index + 1; i < end; i = v.doc.nodes[i].next {
		if member := (Value{v.doc, i}); member.NameIs(name) {
			return member
		}
	}
	return Value{}
}

// Each yields the elements of an array or the members' values of an object, in document order.
func (v Value) Each(yield func(Value) bool) {
	if v.doc == nil {
		return
	}
	end := v.node().next
	for i := v.index + 1; i < end; i = v.doc.nodes[i].next {
		if !yield(Value{v.doc, i}) {
			return
		}
	}
}

// Name is the member name under which the value stands.
func (v Value) Name() string {
	n := v.node()
	raw := v.doc.data[n.nameStart:n.nameEnd]
	if n.nameEscaped {
		return unescape(raw)
	}
	return string(raw)
}

// NameID is the number of the member's name; 0 where it was not read as that of a record.
func (v Value) NameID() NameID { return v.node().name }

// NameIs compares the member name without allocating.
func (v Value) NameIs(want string) bool {
	n := v.node()
	raw := v.doc.data[n.nameStart:n.nameEnd]
	if n.nameEscaped {
		return unescape(raw) == want
	}
	return string(raw) == want
}

// Text is the string that the value is; ok is false for any other kind.
func (v Value) Text() (text string, ok bool) {
	if v.doc == nil || v.node().kind != String {
		return "", false
	}
	n := v.node()
	raw := v.doc.data[n.start+1 : n.end-1]
	if n.escaped {
		return unescape(raw), true
	}
	return string(raw), true
}

// TextIs compares without allocating.
func (v Value) TextIs(want string) bool {
	if v.doc == nil || v.node().kind != String {
		return false
	}
	n := v.node()
	if n.escaped {
		return unescape(v.doc.data[n.start+1:n.end-1]) == want
	}
	return string(v.doc.data[n.start+1:n.end-1]) == want
}

// PlainText is the bytes of a string that has no escapes; ok is false otherwise. Digests, ids and tokens are such.
func (v Value) PlainText() (text []byte, ok bool) {
	if v.doc == nil || v.node().kind != String || v.node().escaped {
		return nil, false
	}
	n := v.node()
	return v.doc.data[n.start+1 : n.end-1], true
}

// Int is the integer that the value is, when it is one within ±(2^53−1) written plainly.
func (v Value) Int() (number int64, ok bool) {
	if v.doc == nil || v.node().kind != Number {
		return 0, false
	}
	return plainInteger(v.Raw())
}

// Bool is the truth value that the value is.
func (v Value) Bool() (value, ok bool) {
	if v.doc == nil {
		return false, false
	}
	kind := v.node().kind
	return kind == True, kind == True || kind == False
}
