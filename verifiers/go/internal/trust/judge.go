// SPDX-License-Identifier: Apache-2.0

package trust

import (
	"crypto/sha256"

	"clyra.dev/verifiers/go/internal/shape"
	"clyra.dev/verifiers/go/internal/signing"
	"clyra.dev/verifiers/go/internal/strictjson"
)

// The codes of keys, in the order in which they are judged.
const (
	CodeUnknown   = "CLY_KEY_UNKNOWN"
	CodeRole      = "CLY_KEY_ROLE"
	CodeAlgorithm = "CLY_KEY_ALGORITHM"
	CodeTime      = "CLY_KEY_TIME"
	CodeRevoked   = "CLY_KEY_REVOKED"
	CodeUndated   = "CLY_KEY_REVOKED_UNDATED"
	CodeSignature = "CLY_SIG_INVALID"
)

// Ed25519 is the one algorithm of v0: a key with another is listed and signs nothing.
const Ed25519 = "ed25519"

// Ring is what judges keys for one bundle: the trust root, what was delegated so far, and the bundle's trusted time.
type Ring struct {
	Root *Root
	// Dated says whether TrustedTime counts.
	Dated       bool
	TrustedTime int64
	delegations map[[16]byte][]Delegation
}

// Delegation lends roles to the key of a process for a while.
type Delegation struct {
	Key       *Key
	By        *Key
	DecidedAt int64
}

// Judge says whether the key may sign in one of the roles at that time: the key to check with, or a code.
func (r *Ring) Judge(id [16]byte, time int64, roles ...string) (key *Key, code string) {
	if key = r.Root.Keys[id]; key != nil {
		return key, r.judgeKey(key, time, roles)
	}
	given := r.delegations[id]
	if len(given) == 0 {
		return nil, CodeUnknown
	}
	// Any delegation that covers the time is enough; when none does, the newest one says why.
	for i := len(given) - 1; i >= 0; i-- {
		refused := r.judgeLent(given[i], time, roles)
		if refused == "" {
			return given[i].Key, ""
		}
		if code == "" {
			code = refused
		}
	}
	return nil, code
}

// judgeLent judges the lent key first, a revocation of the key that lent it included, and then that key when it did.
func (r *Ring) judgeLent(d Delegation, time int64, roles []string) string {
	if code := r.judgeKey(d.Key, time, roles); code != "" {
		return code
	}
	if code := r.judgeRevocation(d.By, time); code != "" {
		return code
	}
	if d.DecidedAt < d.By.From || d.DecidedAt > d.By.To {
		return CodeTime
	}
	return r.judgeRevocation(d.By, d.DecidedAt)
}

func (r *Ring) judgeKey(key *Key, time int64, roles []string) string {
	allowed := false
	for _, role := range roles {
		allowed = allowed || key.Roles[role]
	}
	switch {
	case !allowed:
		return CodeRole
	case key.Algorithm != Ed25519:
		return CodeAlgorithm
	case time < key.From || time > key.To:
		return CodeTime
	}
	return r.judgeRevocation(key, time)
}

func (r *Ring) judgeRevocation(key *Key, time int64) string {
	switch {
	case !key.Revoked:
		return ""
	case time >= key.RevokedAt, r.Dated && r.TrustedTime >= key.RevokedAt:
		return CodeRevoked
	case !r.Dated:
		return CodeUndated
	}
	return ""
}

var delegatedShape = shape.Closed("alg", "key_id", "public_key", "roles", "valid_from", "valid_to")

// Delegate adds the delegation that a command made; false when the command's key is not of its form or breaks a rule.
func (r *Ring) Delegate(by *Key, key strictjson.Value, decidedAt int64) bool {
	var c shape.Checker
	var f [6]strictjson.Value
	if by == nil || !c.Fields(key, "", delegatedShape, f[:]) {
		return false
	}
	lent := &Key{Subject: by.Subject, Operator: by.Operator}
	lent.Algorithm = c.Text(f[0], "", "alg", 1, 64)
	lent.ID = c.ID(f[1], "", "key_id")
	lent.Public = signing.PublicKey(padded(c.Base64(f[2], "", "public_key", 32)))
	lent.Roles = readRoles(&c, f[3], "")
	lent.From, lent.To = readWindow(&c, f[4], f[5], "")
	if digest := sha256.Sum256(lent.Public[:]); !c.OK() || [16]byte(digest[:16]) != lent.ID || lent.Algorithm != Ed25519 {
		return false
	}
	for role := range lent.Roles {
		if !by.Roles[role] || role != "intake" && role != "enforcer" && role != "recorder" {
			return false
		}
	}
	if len(lent.Roles) == 0 || lent.To-lent.From > maxDelegated || lent.From < by.From || lent.To > by.To || r.Root.Keys[lent.ID] != nil {
		return false
	}
	if r.delegations == nil {
		r.delegations = map[[16]byte][]Delegation{}
	}
	r.delegations[lent.ID] = append(r.delegations[lent.ID], Delegation{lent, by, decidedAt})
	return true
}

func padded(bytes []byte) [32]byte {
	var out [32]byte
	copy(out[:], bytes)
	return out
}

// JudgeSeal judges a key of the trust root for a seal; where the cut's time is unknown, windows are not judged.
func (r *Ring) JudgeSeal(key *Key, time int64, timeKnown bool, roles []string) string {
	if timeKnown {
		return r.judgeKey(key, time, roles)
	}
	code := r.judgeKey(key, key.From, roles)
	if key.Revoked && key.From >= key.RevokedAt && code == CodeRevoked {
		// The window's start stood in for the time; of the revocation only the trusted time can be asked.
		if code = ""; r.Dated && r.TrustedTime >= key.RevokedAt {
			code = CodeRevoked
		} else if !r.Dated {
			code = CodeUndated
		}
	}
	return code
}
