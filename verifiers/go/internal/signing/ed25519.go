// SPDX-License-Identifier: Apache-2.0

// Package signing checks what keys signed: Ed25519, DSSE's pre-authentication encoding, blocks over a tree of bodies,
// C2SP notes.
package signing

import (
	"crypto/ed25519"
	"encoding/hex"
)

// smallOrder lists the encodings of points of order 8 or less, canonical or not. Runtimes differ on them, and an honest
// signer never makes one, so neither a key nor an R may be among them.
var smallOrder = func() map[[32]byte]bool {
	points := map[[32]byte]bool{}
	for _, text := range []string{
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0000000000000000000000000000000000000000000000000000000000000080",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000080",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
	} {
		var point [32]byte
		if n, err := hex.Decode(point[:], []byte(text)); err != nil || n != 32 {
			panic("the table of small points is damaged")
		}
		points[point] = true
	}
	return points
}()

// PublicKey is a raw Ed25519 key.
type PublicKey [32]byte

// Verify says whether sig is the key's pure Ed25519 signature over message.
func Verify(key PublicKey, message, sig []byte) bool {
	if len(sig) != ed25519.SignatureSize || smallOrder[key] || smallOrder[[32]byte(sig[:32])] {
		return false
	}
	judge := func() bool { return ed25519.Verify(key[:], message, sig) }
	if remembered != nil {
		return remembered.verdict(key, message, sig, judge)
	}
	return judge()
}
