package verify

import "testing"

func BenchmarkHead(b *testing.B) {
	for b.Loop() {
		out := Bundle(Options{Bundle: "/dev/shm/vs/b1/bundle", TrustRoot: "/dev/shm/vs/b1/trust-root.json", Head: true, Workers: 1})
		if out.Exit() != 4 {
			b.Fatal(out.Exit())
		}
	}
}
