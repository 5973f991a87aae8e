// SPDX-License-Identifier: Apache-2.0

// Package trust reads trust-root.json and judges keys: who may sign what, and when.
package trust

import (
	"crypto/sha256"
	"strings"

	"clyra.dev/verifiers/go/internal/shape"
	"clyra.dev/verifiers/go/internal/signing"
	"clyra.dev/verifiers/go/internal/strictjson"
)

// Limits of a trust root.
const (
	MaxBytes       = 1_048_576
	maxKeys        = 1_024
	maxAuthorities = 32
	maxVersions    = 1_024
	maxCertificate = 8_192
	maxThreshold   = 32
	maxText        = 256
	maxDelegated   = 604_800_000
)

// Key is one key of a trust root, or one that was delegated.
type Key struct {
	ID        [16]byte
	Algorithm string
	Public    signing.PublicKey
	Roles     map[string]bool
	Subject   string
	Operator  string
	Name      string
	From, To  int64
	// Revoked says whether RevokedAt counts.
	Revoked   bool
	RevokedAt int64
}

// Authority is a time-stamping authority whose word the reader takes.
type Authority struct {
	Name, Operator string
	Certificate    []byte
	From, To       int64
	Revoked        bool
	RevokedAt      int64
}

// Root is a trust root.
type Root struct {
	Digest         [32]byte
	Version        int64
	History        map[[32]byte]int
	ExpiresAt      int64
	LogOrigin      string
	SingleOperator bool
	TSAs           int64
	Witnesses      int64
	Keys           map[[16]byte]*Key
	InOrder        []*Key
	Authorities    []Authority
}

// Knows says whether the digest is that of this root or of a version before it.
func (r *Root) Knows(digest [32]byte) bool { return r.versionOf(digest) > 0 }

// Follows says whether the second digest is that of the version after the first's.
func (r *Root) Follows(before, after [32]byte) bool {
	version := r.versionOf(before)
	return version > 0 && r.versionOf(after) == version+1
}

// versionOf is the version of a digest, 0 when it is none.
func (r *Root) versionOf(digest [32]byte) int {
	if digest == r.Digest {
		return int(r.Version)
	}
	return r.History[digest]
}

var (
	rootShape = shape.Closed("expires_at", "format", "history?", "issued_at?", "keys", "log_origin", "single_operator",
		"thresholds?", "time_authorities?", "version")
	thresholdShape = shape.Closed("root", "tsa", "witness")
	keyShape       = shape.Closed("alg", "key_id", "name?", "operator", "public_key", "reason?", "revoked_at?", "roles",
		"subject", "valid_from", "valid_to")
	authorityShape = shape.Closed("certificate", "name", "operator", "reason?", "revoked_at?", "valid_from", "valid_to")
	roleNames      = map[string]bool{
		"root": true, "log": true, "bundler": true, "attestor": true, "enforcer": true, "intake": true, "recorder": true,
		"operator": true, "policy_author": true, "policy_approver": true, "approver": true, "witness": true, "delegator": true,
	}
)

// Parse reads a trust root; member says what is at fault when ok is false.
func Parse(data []byte) (root *Root, member string, ok bool) {
	var doc strictjson.Doc
	if doc.Parse(data, strictjson.Grammar{MaxBytes: MaxBytes, MaxDepth: 8, FreeForm: true}) != nil {
		return nil, "", false
	}
	var c shape.Checker
	root = &Root{Digest: sha256.Sum256(data), Keys: map[[16]byte]*Key{}, TSAs: 1, Witnesses: 1}
	var f [10]strictjson.Value
	if !c.Fields(doc.Root(), "", rootShape, f[:]) {
		return nil, c.Path(), false
	}
	root.ExpiresAt = c.Count(f[0], "", "expires_at")
	if !f[1].TextIs("clyra/trust-root/v0") {
		c.Fault("", "format")
	}
	root.Version = c.Int(f[9], "", "version", 1, maxVersions)
	root.readHistory(&c, f[2])
	if f[3].Present() {
		c.Count(f[3], "", "issued_at")
	}
	if root.LogOrigin = c.Text(f[5], "", "log_origin", 1, 400); !originText(root.LogOrigin) {
		c.Fault("", "log_origin")
	}
	root.SingleOperator = c.Bool(f[6], "", "single_operator")
	root.readThresholds(&c, f[7])
	root.readKeys(&c, f[4])
	root.readAuthorities(&c, f[8])
	return root, c.Path(), c.OK()
}

func originText(text string) bool {
	const first = "abcdefghijklmnopqrstuvwxyz0123456789"
	return text != "" && strings.Trim(text, first+".-/") == "" && strings.Contains(first, text[:1])
}

func (r *Root) readHistory(c *shape.Checker, v strictjson.Value) {
	r.History = map[[32]byte]int{}
	if !v.Present() {
		if r.Version != 1 {
			c.Fault("", "history")
		}
		return
	}
	if !c.Array(v, "", "history", maxVersions) {
		return
	}
	for element := range v.Each {
		digest := c.Hash(element, "", "history")
		if _, twice := r.History[digest]; !twice {
			r.History[digest] = len(r.History) + 1
		}
	}
	if int64(v.Len()) != r.Version-1 {
		c.Fault("", "history")
	}
}

func (r *Root) readThresholds(c *shape.Checker, v strictjson.Value) {
	if !v.Present() {
		return
	}
	var f [3]strictjson.Value
	if !c.Fields(v, "thresholds", thresholdShape, f[:]) {
		return
	}
	c.Int(f[0], "thresholds", "root", 1, maxThreshold)
	r.TSAs = c.Int(f[1], "thresholds", "tsa", 1, maxThreshold)
	r.Witnesses = c.Int(f[2], "thresholds", "witness", 1, maxThreshold)
}

func (r *Root) readKeys(c *shape.Checker, v strictjson.Value) {
	if !c.Array(v, "", "keys", maxKeys) {
		return
	}
	for element := range v.Each {
		key := readKey(c, element)
		if !c.OK() {
			return
		}
		if r.Keys[key.ID] != nil {
			c.Fault("keys", "key_id")
			return
		}
		r.Keys[key.ID] = key
		r.InOrder = append(r.InOrder, key)
	}
}

func readKey(c *shape.Checker, v strictjson.Value) *Key {
	const at = "keys"
	var f [11]strictjson.Value
	key := &Key{}
	if !c.Fields(v, at, keyShape, f[:]) {
		return key
	}
	key.Algorithm = c.Text(f[0], at, "alg", 1, maxText)
	key.ID = c.ID(f[1], at, "key_id")
	key.Operator = c.Text(f[3], at, "operator", 1, maxText)
	readPublicKey(c, key, f[4], at)
	key.Revoked, key.RevokedAt = readRevocation(c, f[6], f[5], at)
	key.Roles = readRoles(c, f[7], at)
	key.Subject = c.Text(f[8], at, "subject", 1, maxText)
	key.From, key.To = readWindow(c, f[9], f[10], at)
	if key.Roles["witness"] != f[2].Present() {
		c.Fault(at, "name")
	}
	if f[2].Present() {
		key.Name = c.Text(f[2], at, "name", 1, maxText)
		if strings.ContainsRune(key.Name, '+') || strings.ContainsFunc(key.Name, shape.IsSpace) {
			c.Fault(at, "name")
		}
	}
	return key
}

func readPublicKey(c *shape.Checker, key *Key, v strictjson.Value, at string) {
	public := c.Base64(v, at, "public_key", 32)
	if !c.OK() {
		return
	}
	key.Public = signing.PublicKey(public)
	digest := sha256.Sum256(public)
	if [16]byte(digest[:16]) != key.ID {
		c.Fault(at, "key_id")
	}
}

func readWindow(c *shape.Checker, from, to strictjson.Value, at string) (first, last int64) {
	first, last = c.Count(from, at, "valid_from"), c.Count(to, at, "valid_to")
	if first > last {
		c.Fault(at, "valid_to")
	}
	return first, last
}

func readRevocation(c *shape.Checker, revokedAt, reason strictjson.Value, at string) (revoked bool, when int64) {
	if revokedAt.Present() != reason.Present() {
		c.Fault(at, "reason")
	}
	if !revokedAt.Present() {
		return false, 0
	}
	c.Text(reason, at, "reason", 1, maxText)
	return true, c.Count(revokedAt, at, "revoked_at")
}

func readRoles(c *shape.Checker, v strictjson.Value, at string) map[string]bool {
	roles := map[string]bool{}
	if !c.Array(v, at, "roles", len(roleNames)) {
		return roles
	}
	for element := range v.Each {
		role, _ := element.Text()
		if !roleNames[role] || roles[role] {
			c.Fault(at, "roles")
		}
		roles[role] = true
	}
	return roles
}

func (r *Root) readAuthorities(c *shape.Checker, v strictjson.Value) {
	const at = "time_authorities"
	if !v.Present() || !c.Array(v, "", at, maxAuthorities) {
		return
	}
	names := map[string]bool{}
	for element := range v.Each {
		var f [7]strictjson.Value
		if !c.Fields(element, at, authorityShape, f[:]) {
			return
		}
		authority := Authority{Certificate: c.Base64(f[0], at, "certificate", -1)}
		authority.Name = c.Text(f[1], at, "name", 1, maxText)
		authority.Operator = c.Text(f[2], at, "operator", 1, maxText)
		authority.Revoked, authority.RevokedAt = readRevocation(c, f[4], f[3], at)
		authority.From, authority.To = readWindow(c, f[5], f[6], at)
		if names[authority.Name] || len(authority.Certificate) > maxCertificate {
			c.Fault(at, "name")
		}
		names[authority.Name] = true
		r.Authorities = append(r.Authorities, authority)
	}
}
