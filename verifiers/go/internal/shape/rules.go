// SPDX-License-Identifier: Apache-2.0

package shape

import "clyra.dev/verifiers/go/internal/strictjson"

// Rule holds one value against a form. Rules are for documents that are read once; lines are read by hand.
type Rule func(c *Checker, v strictjson.Value, path, name string)

// Member is one member of an object with the rule for it.
type Member struct {
	Name string
	Rule Rule
}

// Object is a closed object.
func Object(members ...Member) Rule {
	names := make([]string, len(members))
	for i, member := range members {
		names[i] = member.Name
	}
	closed := Closed(names...)
	return func(c *Checker, v strictjson.Value, path, name string) {
		at := Join(path, name)
		fields := make([]strictjson.Value, len(members))
		if !c.Fields(v, at, closed, fields) {
			return
		}
		for i, member := range members {
			if fields[i].Present() {
				member.Rule(c, fields[i], at, closed.names[i])
			}
		}
	}
}

// List is an array of at most highest elements.
func List(highest int, element Rule) Rule {
	return func(c *Checker, v strictjson.Value, path, name string) {
		if !c.Array(v, path, name, highest) {
			return
		}
		for item := range v.Each {
			element(c, item, path, name)
		}
	}
}

// OrNull allows null beside what the rule allows.
func OrNull(rule Rule) Rule {
	return func(c *Checker, v strictjson.Value, path, name string) {
		if !v.IsNull() {
			rule(c, v, path, name)
		}
	}
}

// Text is any string.
func Text(c *Checker, v strictjson.Value, path, name string) {
	if v.Kind() != strictjson.String {
		c.Fault(path, name)
	}
}

// Count is an integer that is not negative.
func Count(c *Checker, v strictjson.Value, path, name string) { c.Count(v, path, name) }

// Truth is true or false.
func Truth(c *Checker, v strictjson.Value, path, name string) { c.Bool(v, path, name) }

// Digest is 64 hex digits.
func Digest(c *Checker, v strictjson.Value, path, name string) { c.Hash(v, path, name) }

// HalfDigest is 32 hex digits.
func HalfDigest(c *Checker, v strictjson.Value, path, name string) { c.ID(v, path, name) }

// OneOf is one of these strings.
func OneOf(words ...string) Rule {
	return func(c *Checker, v strictjson.Value, path, name string) {
		for _, word := range words {
			if v.TextIs(word) {
				return
			}
		}
		c.Fault(path, name)
	}
}

// Is says whether the value has the form.
func (rule Rule) Is(v strictjson.Value) bool {
	var c Checker
	rule(&c, v, "", "")
	return c.OK()
}
