// SPDX-License-Identifier: Apache-2.0

package strictjson

import "unicode/utf8"

// MaxDepth is how deep containers of a record may nest; the outermost one is depth 1.
const MaxDepth = 32

// MaxRecordBytes is the largest record.
const MaxRecordBytes = 65_535

// Grammar is what a text has to keep to. The zero Grammar is the strictest but for its limits.
type Grammar struct {
	MaxBytes int
	MaxDepth int
	// FreeNames lets member names be any string.
	FreeNames bool
	// FreeNumbers lets numbers be any double in the form of RFC 8785.
	FreeNumbers bool
	// FreeForm allows white space and members in any order: files that people write.
	FreeForm bool
	// Keep names the one member of the outermost object that is wanted of a large document: no nodes are made then, and of
	// the Doc nothing but Kept and Members can be used.
	Keep string
}

// WithNodes is the same grammar for a document that is read whole.
func (g Grammar) WithNodes() Grammar {
	g.Keep = ""
	return g
}

// The grammars of the format.
var (
	Record   = Grammar{MaxBytes: MaxRecordBytes, MaxDepth: MaxDepth}
	Envelope = Grammar{MaxBytes: 1 << 20, MaxDepth: MaxDepth, FreeNames: true}
)

type parser struct {
	Grammar
	doc  *Doc
	data []byte
	pos  int
	err  *Error
	// plain says that names are those of records, in their order, and that nodes are made.
	plain bool
	// last is the name that was read last.
	last *knownName
}

// Parse reads one object into d.
func (d *Doc) Parse(data []byte, grammar Grammar) *Error {
	return d.parse(data, grammar, !grammar.FreeForm && !grammar.FreeNames && grammar.Keep == "")
}

// parse is Parse, the short way where a text is plain, which changes nothing but the time that it takes.
func (d *Doc) parse(data []byte, grammar Grammar, plain bool) *Error {
	d.data = data
	d.nodes, d.kept = d.own[:0], nil
	d.sorted = !grammar.FreeForm && !grammar.FreeNames
	if len(data) > grammar.MaxBytes {
		return &Error{CodeSize, grammar.MaxBytes}
	}
	if !utf8.Valid(data) {
		return &Error{CodeUTF8, firstBadByte(data)}
	}
	p := parser{Grammar: grammar, doc: d, data: data, plain: plain}
	p.begin()
	p.space()
	if p.peek() != '{' {
		return &Error{CodeSyntax, p.pos}
	}
	ok := p.value(1, 0, 0, false)
	d.last, d.own = p.last, d.nodes
	if !ok {
		return p.err
	}
	p.space()
	if p.pos != len(data) {
		return &Error{CodeSyntax, p.pos}
	}
	return nil
}

// begin goes on from the name that was read last.
func (p *parser) begin() {
	if p.doc.last == nil {
		p.doc.last = &knownName{}
	}
	p.last = p.doc.last
}

func firstBadByte(data []byte) int {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return len(data)
}

func (p *parser) fail(code string) bool {
	if p.err == nil {
		p.err = &Error{code, p.pos}
	}
	return false
}

// space skips white space where it is allowed; elsewhere it is left to whoever expects a token.
func (p *parser) space() {
	if !p.FreeForm {
		return
	}
	for p.pos < len(p.data) {
		switch p.data[p.pos] {
		case ' ', '\t', '\n', '\r':
			p.pos++
		default:
			return
		}
	}
}

func (p *parser) peek() byte {
	if p.pos < len(p.data) {
		return p.data[p.pos]
	}
	return 0
}

// open notes the start of a value and gives the place of its node.
func (p *parser) open(nameStart, nameEnd int, nameEscaped bool) int {
	d := p.doc
	if p.Keep != "" {
		d.nodes = append(d.nodes[:0], node{})
		return 0
	}
	n := d.more()
	n.start, n.nameStart, n.nameEnd, n.nameEscaped = uint32(p.pos), uint32(nameStart), uint32(nameEnd), nameEscaped
	return len(d.nodes) - 1
}

func (p *parser) value(depth int, nameStart, nameEnd int, nameEscaped bool) bool {
	at := p.open(nameStart, nameEnd, nameEscaped)
	kind, ok, escaped := Number, false, false
	switch p.peek() {
	case '{':
		kind = Object
		ok = p.container(at, depth, '}')
	case '[':
		kind = Array
		ok = p.container(at, depth, ']')
	case '"':
		kind = String
		ok, escaped = p.str()
	case 't':
		kind = True
		ok = p.literal("true")
	case 'f':
		kind = False
		ok = p.literal("false")
	case 'n':
		kind = Null
		ok = p.literal("null")
	default:
		ok = p.number()
	}
	if p.Keep == "" {
		n := &p.doc.nodes[at]
		n.kind, n.escaped = kind, escaped
		n.end, n.next = uint32(p.pos), uint32(len(p.doc.nodes))
	}
	return ok
}

func (p *parser) literal(word string) bool {
	for i := 0; i < len(word); i++ {
		if p.peek() != word[i] {
			return p.fail(CodeSyntax)
		}
		p.pos++
	}
	return true
}

// container reads an array or an object, from its opening bracket on.
func (p *parser) container(at, depth int, closing byte) bool {
	if depth > p.MaxDepth {
		return p.fail(CodeDepth)
	}
	p.pos++
	p.space()
	if p.peek() == closing {
		p.pos++
		return true
	}
	names := nameCheck{object: at}
	for count := uint32(1); ; count++ {
		if closing == '}' {
			if !p.member(&names, depth) {
				return false
			}
		} else if !(p.plain && p.plainScalar(0, 0, 0)) && !p.value(depth+1, 0, 0, false) {
			return false
		}
		p.space()
		switch p.peek() {
		case ',':
			p.pos++
			p.space()
		case closing:
			p.pos++
			p.doc.nodes[at].count = count
			return true
		default:
			return p.fail(CodeSyntax)
		}
	}
}

func (p *parser) member(names *nameCheck, depth int) bool {
	if p.peek() != '"' {
		return p.fail(CodeSyntax)
	}
	start := p.pos + 1
	if p.plain {
		if k := p.guess(names); k != nil {
			return p.named(depth, start, k)
		}
	}
	ok, escaped := p.str()
	if !ok {
		return false
	}
	end := p.pos - 1
	if code := names.add(p, start, end, escaped); code != "" {
		p.pos = end
		return p.fail(code)
	}
	p.space()
	if p.peek() != ':' {
		return p.fail(CodeSyntax)
	}
	p.pos++
	p.space()
	if names.known != nil {
		return p.named(depth, start, names.known)
	}
	at := p.pos
	if !p.value(depth+1, start, end, escaped) {
		return false
	}
	if p.Keep != "" && depth == 1 && string(p.data[start:end]) == p.Keep {
		p.doc.kept = p.data[at:p.pos]
	}
	return true
}
