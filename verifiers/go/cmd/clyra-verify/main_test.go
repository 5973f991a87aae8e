// SPDX-License-Identifier: Apache-2.0
package main

import (
	"os"
	"os/exec"
	"testing"
)

const asMain = "CLYRA_VERIFY_AS_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asMain) != "" {
		main()
	}
	os.Exit(m.Run())
}

const shared = "../../../../schemas/vectors/bundles/_shared/"

// verdict is the exit code of a run that writes its output there.
func verdict(t *testing.T, out *os.File, args ...string) int {
	t.Helper()
	run := exec.Command(os.Args[0], args...)
	run.Env = append(os.Environ(), asMain+"=1")
	run.Stdout, run.Stderr = out, out
	if err := run.Run(); run.ProcessState == nil {
		t.Fatal(err)
	}
	return run.ProcessState.ExitCode()
}

// unread is a pipe whose other end is closed.
func unread(t *testing.T) *os.File {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	read.Close()
	t.Cleanup(func() { write.Close() })
	return write
}

func TestVerdictStandsWhereNobodyReadsTheOutput(t *testing.T) {
	good := []string{"verify", "--trust-root", shared + "trust-root.json", "--policy", shared + "policy.json", shared + "good.tar"}
	for _, option := range []string{"", "--json"} {
		args := append([]string(nil), good...)
		if option != "" {
			args = append(args, option)
		}
		if code := verdict(t, unread(t), args...); code != 0 {
			t.Errorf("%v: a good bundle ends with %d", args, code)
		}
	}
	if code := verdict(t, unread(t), "verify", shared+"nothing"); code != 5 {
		t.Errorf("a bundle that is not there ends with %d", code)
	}
}

func TestAnswerThatIsLostIsNoVerdict(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("this system has no /dev/full")
	}
	defer full.Close()
	args := []string{"verify", "--trust-root", shared + "trust-root.json", "--policy", shared + "policy.json", shared + "good.tar"}
	if code := verdict(t, full, args...); code != 5 {
		t.Errorf("a good bundle whose report is lost ends with %d", code)
	}
}
