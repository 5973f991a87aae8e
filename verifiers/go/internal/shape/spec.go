// SPDX-License-Identifier: Apache-2.0

package shape

import (
	"slices"
	"strings"

	"clyra.dev/verifiers/go/internal/strictjson"
)

// Spec is the members of one object.
type Spec struct {
	names    []string
	optional []bool
	open     bool
	// sorted says that the names ascend.
	sorted bool
	// required is how many of them must be there.
	required int
	// places is where a name stands among them, from 1, by its number.
	places [strictjson.MaxNames]uint8
}

// Closed is an object with exactly these members; a name that ends in "?" may be absent.
func Closed(names ...string) *Spec { return spec(false, names) }

// Open is an object that may have further members, which are ignored.
func Open(names ...string) *Spec { return spec(true, names) }

func spec(open bool, names []string) *Spec {
	s := &Spec{open: open}
	for _, name := range names {
		plain, optional := strings.CutSuffix(name, "?")
		s.names = append(s.names, plain)
		s.optional = append(s.optional, optional)
		if !optional {
			s.required++
		}
		s.places[strictjson.Intern(plain)] = uint8(len(s.names))
	}
	s.sorted = slices.IsSorted(s.names)
	return s
}

// Fields puts the members of an object into out, in the order of the spec; absent optional ones become zero.
func (c *Checker) Fields(v strictjson.Value, path string, s *Spec, out []strictjson.Value) bool {
	clear(out)
	return c.Fill(v, path, s, out)
}

// Fill is Fields for an out that is zero.
func (c *Checker) Fill(v strictjson.Value, path string, s *Spec, out []strictjson.Value) bool {
	if c.bad {
		return false
	}
	if v.Kind() != strictjson.Object {
		c.Fault(path, "")
		return false
	}
	next, required := 0, 0
	for member := range v.Each {
		at := -1
		if id := member.NameID(); id != 0 {
			at = int(s.places[id]) - 1
		} else if s.sorted && v.Sorted() {
			next = s.skip(member, next)
			if next < len(s.names) && member.NameIs(s.names[next]) {
				at = next
			}
		} else {
			at = s.find(member, next)
		}
		if at < 0 {
			if s.open {
				continue
			}
			c.Fault(path, member.Name())
			return false
		}
		out[at] = member
		next = at + 1
		if !s.optional[at] {
			required++
		}
	}
	// No name stands twice in an object that was parsed.
	return required == s.required || !c.lacks(path, s, out)
}

// lacks notes the first required member that is not there.
func (c *Checker) lacks(path string, s *Spec, out []strictjson.Value) bool {
	for i, name := range s.names {
		if !s.optional[i] && !out[i].Present() {
			c.Fault(path, name)
			return true
		}
	}
	return false
}

// Present says that members which the spec leaves optional are there; they are given by their places in it.
func (c *Checker) Present(path string, s *Spec, out []strictjson.Value, places ...int) bool {
	for _, place := range places {
		if !out[place].Present() {
			c.Fault(path, s.names[place])
		}
	}
	return !c.bad
}

// skip passes over the names that stand before the member's: both sides ascend.
func (s *Spec) skip(member strictjson.Value, from int) int {
	for from < len(s.names) && member.NameAbove(s.names[from]) {
		from++
	}
	return from
}

// find looks from the expected place on, since both sides ascend in canonical texts, and then everywhere.
func (s *Spec) find(member strictjson.Value, from int) int {
	for i := from; i < len(s.names); i++ {
		if member.NameIs(s.names[i]) {
			return i
		}
	}
	for i := 0; i < from; i++ {
		if member.NameIs(s.names[i]) {
			return i
		}
	}
	return -1
}
