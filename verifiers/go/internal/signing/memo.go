// SPDX-License-Identifier: Apache-2.0

package signing

import (
	"crypto/sha256"
	"sync"
)

const maxRemembered = 1 << 17

// memo keeps verdicts of a process that judges the same signatures again and again.
type memo struct {
	lock     sync.Mutex
	verdicts map[[32]byte]bool
}

var remembered *memo

// Remember makes Verify keep its verdicts: they follow from key, message and signature alone. For tools that verify the
// same bundle in many variants; one verification meets no signature twice.
func Remember() { remembered = &memo{verdicts: map[[32]byte]bool{}} }

func (m *memo) verdict(key PublicKey, message, sig []byte, judge func() bool) bool {
	sum := sha256.New()
	sum.Write(key[:])
	sum.Write(sig)
	sum.Write(message)
	name := [32]byte(sum.Sum(nil))
	m.lock.Lock()
	known, met := m.verdicts[name]
	m.lock.Unlock()
	if met {
		return known
	}
	known = judge()
	m.lock.Lock()
	defer m.lock.Unlock()
	if len(m.verdicts) >= maxRemembered {
		clear(m.verdicts)
	}
	m.verdicts[name] = known
	return known
}
