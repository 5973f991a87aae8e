// SPDX-License-Identifier: Apache-2.0

package stamp

import (
	"bytes"
	"os"
	"testing"

	"clyra.dev/verifiers/go/internal/trust"
)

func file(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

const always = 1 << 52

func authority(t testing.TB, name string) trust.Authority {
	return trust.Authority{Name: name, Operator: "outside", Certificate: file(t, name), To: always}
}

func TestTokens(t *testing.T) {
	sealed := file(t, "sealed")
	root := authority(t, "ca.der")
	good := Judge(file(t, "ec.tsr"), sealed, []trust.Authority{root}, 0)
	if good.Code != "" || good.Operator != "outside" {
		t.Fatalf("a good token is %+v", good)
	}
	genTime := good.UpperBound - 1_501
	revoked, early, late := root, root, root
	revoked.Revoked, revoked.RevokedAt = true, genTime-999
	early.To, late.From = genTime-1_000, genTime+1_000
	for _, test := range []struct {
		name, token string
		authority   trust.Authority
		sealed      []byte
		cut         int64
		code        string
	}{
		{"RSA", "rsa.tsr", root, sealed, genTime, ""},
		{"the signing certificate itself is trusted", "ec.tsr", authority(t, "ec.der"), sealed, genTime, ""},
		{"another signer under a trusted leaf", "rsa.tsr", authority(t, "ec.der"), sealed, genTime, CodeUntrusted},
		{"other bytes", "ec.tsr", root, append(bytes.Clone(sealed), '\n'), genTime, CodeImprint},
		{"an imprint of another hash", "sha384.tsr", root, sealed, genTime, CodeAlgorithm},
		{"an authority revoked before", "ec.tsr", revoked, sealed, genTime, CodeWindow},
		{"an authority whose window is over", "ec.tsr", early, sealed, genTime, CodeWindow},
		{"an authority whose window comes later", "ec.tsr", late, sealed, genTime, CodeWindow},
		{"older than the cut", "ec.tsr", root, sealed, good.UpperBound + beforeCutMS + 1, CodeBeforeCut},
		{"as old as allowed", "ec.tsr", root, sealed, good.UpperBound + beforeCutMS, ""},
		{"no token", "sealed", root, sealed, genTime, CodeToken},
	} {
		verdict := Judge(file(t, test.token), test.sealed, []trust.Authority{test.authority}, test.cut)
		if verdict.Code != test.code {
			t.Errorf("%s: %q, want %q", test.name, verdict.Code, test.code)
		}
	}
	if verdict := Judge(file(t, "ec.tsr"), sealed, nil, 0); verdict.Code != CodeUntrusted {
		t.Errorf("without authorities: %q", verdict.Code)
	}
}

// No flipped bit of what is signed gives another time, and none a crash.
func TestFlippedTokens(t *testing.T) {
	token, sealed := file(t, "ec.tsr"), file(t, "sealed")
	authorities := []trust.Authority{authority(t, "ca.der")}
	good := Judge(token, sealed, authorities, 0)
	codes := map[string]int{}
	for bit := range 8 * len(token) {
		damaged := bytes.Clone(token)
		damaged[bit/8] ^= 1 << (bit % 8)
		verdict := Judge(damaged, sealed, authorities, 0)
		codes[verdict.Code]++
		if verdict.Code == "" && verdict != good {
			t.Fatalf("bit %d: %+v", bit, verdict)
		}
	}
	if codes[CodeToken] == 0 || codes[CodeSignature] == 0 || codes[CodeImprint] == 0 {
		t.Errorf("codes are %v", codes)
	}
	// What is outside of everything signed: the status's text, algorithm parameters, unsigned attributes.
	if codes[""] > len(token)/2 {
		t.Errorf("%d flipped bits are accepted", codes[""])
	}
	t.Logf("codes of %d flipped bits: %v", 8*len(token), codes)
}

func TestGenTime(t *testing.T) {
	for text, want := range map[string]bool{
		"20260101000000Z": true, "20260101000000.5Z": true, "20260101000000.123456789Z": true,
		"20260101000000.50Z": false, "20260101000000.Z": false, "20260101000000": false, "20261301000000Z": false,
		"20260101000000.1234567891Z": false, "20260101000000+0000": false, "202601010000Z": false, "": false,
	} {
		if _, ok := parseGenTime(text); ok != want {
			t.Errorf("%q: %v", text, ok)
		}
	}
}

func FuzzToken(f *testing.F) {
	sealed := file(f, "sealed")
	authorities := []trust.Authority{authority(f, "ca.der")}
	f.Add(file(f, "ec.tsr"))
	f.Add(file(f, "rsa.tsr"))
	f.Fuzz(func(_ *testing.T, data []byte) { Judge(data, sealed, authorities, 0) })
}
