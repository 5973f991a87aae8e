// SPDX-License-Identifier: Apache-2.0

// Command clyra-mutate compares two verifiers on seeded mutations of a good bundle: this one in process, the other as a
// command with the batch protocol. It prints each difference with its seed, and how often each claim code came up.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"clyra.dev/verifiers/go/internal/mutate"
	"clyra.dev/verifiers/go/internal/report"
	"clyra.dev/verifiers/go/internal/verify"
)

func main() {
	bundle := flag.String("bundle", "", "folder of a good bundle")
	trustRoot := flag.String("trust-root", "", "its trust root")
	other := flag.String("other", "", "the other verifier, as a command that takes the batch protocol")
	seed := flag.Uint64("seed", 1, "first seed")
	count := flag.Uint64("count", 1_000, "how many mutations")
	limit := flag.Int("differences", 50, "stop after so many differences")
	flag.Parse()
	differences, err := run(*bundle, *trustRoot, *other, *seed, *count, *limit)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if differences > 0 {
		os.Exit(1)
	}
}

// peer is the other verifier.
type peer struct {
	in  io.WriteCloser
	out *bufio.Reader
	end func() error
}

func startPeer(command string) (*peer, error) {
	if command == "" {
		return nil, nil
	}
	parts := strings.Fields(command)
	process := exec.Command(parts[0], append(parts[1:], "--batch")...)
	process.Stderr = os.Stderr
	in, err := process.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &peer{in, bufio.NewReaderSize(out, 1<<20), process.Wait}, process.Start()
}

func (p *peer) ask(args []string) (string, error) {
	line, err := json.Marshal(args)
	if err != nil {
		return "", err
	}
	if _, err := p.in.Write(append(line, '\n')); err != nil {
		return "", err
	}
	text, err := p.out.ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("the other verifier: %w", err)
	}
	var answer struct {
		Claims   [][3]*string `json:"claims"`
		ExitCode int          `json:"exit_code"`
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "exit %d", answer.ExitCode)
	for _, row := range answer.Claims {
		for i, part := range row {
			if part != nil {
				b.WriteString([]string{"; ", " ", " "}[i] + *part)
			}
		}
	}
	return b.String(), nil
}

func say(outcome *verify.Outcome) string {
	var b strings.Builder
	fmt.Fprintf(&b, "exit %d", outcome.Exit())
	for claim := report.Integrity; claim <= report.Disclosure; claim++ {
		result := outcome.Report.Of(claim)
		fmt.Fprintf(&b, "; %s %s", claim, result.Status)
		if result.Code != "" {
			b.WriteString(" " + result.Code)
		}
	}
	return b.String()
}

// tally counts what came up.
type tally struct {
	kinds, codes                  map[string]int
	passedTokenizer, differ, good int
}

func run(bundle, trustRoot, other string, seed, count uint64, limit int) (int, error) {
	good, err := mutate.Load(bundle)
	if err != nil {
		return 0, err
	}
	root, err := os.ReadFile(trustRoot)
	if err != nil {
		return 0, err
	}
	maker, err := mutate.NewMaker(good, root, seed)
	if err != nil {
		return 0, err
	}
	work, err := os.MkdirTemp("", "clyra-mutate-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(work)
	peer, err := startPeer(other)
	if err != nil {
		return 0, err
	}
	t := &tally{kinds: map[string]int{}, codes: map[string]int{}}
	if err := t.all(maker, work, peer, seed, count, limit); err != nil {
		return 0, err
	}
	t.print()
	if peer != nil {
		peer.in.Close()
		return t.differ, peer.end()
	}
	return t.differ, nil
}

func (t *tally) all(maker *mutate.Maker, work string, peer *peer, seed, count uint64, limit int) error {
	folder, rootFile := filepath.Join(work, "bundle"), filepath.Join(work, "trust-root.json")
	for name, data := range maker.Good {
		if err := mutate.Write(folder, name, data); err != nil {
			return err
		}
	}
	if err := os.WriteFile(rootFile, maker.TrustRoot, 0o600); err != nil {
		return err
	}
	for at := seed; at < seed+count && t.differ < limit; at++ {
		mutation := maker.Make(at)
		for name, data := range mutation.Changed {
			if err := mutate.Write(folder, name, data); err != nil {
				return err
			}
		}
		if err := t.one(at, mutation, folder, rootFile, peer); err != nil {
			return err
		}
		for name := range mutation.Changed {
			if err := mutate.Write(folder, name, maker.Good[name]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *tally) one(seed uint64, mutation mutate.Mutation, folder, rootFile string, peer *peer) error {
	outcome := verify.Bundle(verify.Options{Bundle: folder, TrustRoot: rootFile})
	t.kinds[string(mutation.Kind)]++
	for claim := report.Integrity; claim <= report.Disclosure; claim++ {
		t.codes[outcome.Report.Of(claim).Code]++
	}
	if code := outcome.Report.Of(report.Integrity).Code; !strings.HasPrefix(code, "CLY_JSON_") && !strings.HasPrefix(code, "CLY_LINE_TOO") {
		t.passedTokenizer++
	}
	if outcome.Exit() == report.ExitPolicyNotMet || outcome.Exit() == report.ExitValid {
		t.good++
	}
	if peer == nil {
		return nil
	}
	theirs, err := peer.ask([]string{"--trust-root", rootFile, folder})
	if err != nil {
		return fmt.Errorf("seed %d (%s): %w", seed, mutation.What, err)
	}
	if ours := say(outcome); ours != theirs {
		t.differ++
		fmt.Printf("seed %d, %s, %s\n  here  %s\n  other %s\n", seed, mutation.Kind, mutation.What, ours, theirs)
	}
	return nil
}

func (t *tally) print() {
	fmt.Printf("mutations %v, of which %d pass the tokenizer and %d leave nothing wrong; differences %d\n", t.kinds, t.passedTokenizer, t.good, t.differ)
	codes := []string{}
	for code := range t.codes {
		if code != "" {
			codes = append(codes, code)
		}
	}
	slices.Sort(codes)
	for _, code := range codes {
		fmt.Printf("  %-30s %d\n", code, t.codes[code])
	}
}
