// SPDX-License-Identifier: Apache-2.0

package signing

import (
	"encoding/hex"
	"slices"
	"testing"

	"clyra.dev/verifiers/go/internal/vectors"
)

type ed25519Case struct {
	ID                    int
	Key, Msg, Sig, Result string
}

func unhex(text string) []byte {
	data, err := hex.DecodeString(text)
	if err != nil {
		return nil
	}
	return data
}

func (c ed25519Case) holds(message []byte) bool {
	key := unhex(c.Key)
	return len(key) == 32 && Verify(PublicKey(key), message, unhex(c.Sig))
}

func TestWycheproof(t *testing.T) {
	cases := vectors.Lines[ed25519Case](t, "external/wycheproof/ed25519.jsonl")
	for _, c := range cases {
		if got := c.holds(unhex(c.Msg)); got != (c.Result == "valid") {
			t.Errorf("case %d: %v, want %s", c.ID, got, c.Result)
		}
	}
	t.Logf("Wycheproof Ed25519: %d cases", len(cases))
}

func TestCCTV(t *testing.T) {
	accepted := vectors.File[struct{ IDs []int }](t, "external/cctv/accepted.json").IDs
	cases := vectors.Lines[ed25519Case](t, "external/cctv/ed25519.jsonl")
	for _, c := range cases {
		if got := c.holds([]byte(c.Msg)); got != slices.Contains(accepted, c.ID) {
			t.Errorf("case %d: %v", c.ID, got)
		}
	}
	if len(cases) != 914 || len(accepted) != 43 {
		t.Errorf("%d cases, %d accepted", len(cases), len(accepted))
	}
	t.Logf("CCTV Ed25519: %d cases", len(cases))
}

func TestPAE(t *testing.T) {
	got := string(AppendPAE(nil, "http://example.com/HelloWorld", []byte("hello world")))
	if want := "DSSEv1 29 http://example.com/HelloWorld 11 hello world"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
