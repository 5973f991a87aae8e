// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"clyra.dev/verifiers/go/internal/mutate"
)

// maxThirdUnderWay bounds the mutations that wait for the third verifier.
const maxThirdUnderWay = 64

// third is a verifier that is slower than the other two: it judges every so-many-th mutation, and takes it as anybody's does,
// as files and arguments (docs/spec/verification.md §2). A folder is written for each and removed again.
type third struct {
	command *exec.Cmd
	in      io.WriteCloser
	every   uint64
	folder  string
	waiting chan thirdAsked
	done    chan error
	// Read when it is done.
	judged, unwritable int
}

type thirdAsked struct {
	asked
	mutation mutate.Mutation
}

func startThird(command string, every uint64, compare func(asked, string)) (*third, error) {
	if command == "" {
		return nil, nil
	}
	folder, err := os.MkdirTemp("", "clyra-mutate-")
	if err != nil {
		return nil, err
	}
	parts := strings.Fields(command)
	t := &third{
		command: exec.Command(parts[0], append(parts[1:], "--batch")...), every: max(1, every), folder: folder,
		waiting: make(chan thirdAsked, maxThirdUnderWay), done: make(chan error, 1),
	}
	t.command.Stderr = os.Stderr
	if t.in, err = t.command.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := t.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := t.command.Start(); err != nil {
		return nil, err
	}
	go func() {
		err := t.judge(bufio.NewReader(out), compare)
		for range t.waiting {
		}
		t.done <- err
	}()
	return t, nil
}

// ask hands a mutation over if it is one of its share.
func (t *third) ask(one asked, mutation mutate.Mutation) {
	if t != nil && mutation.Kind != mutate.Plain && one.seed%t.every == 0 {
		t.waiting <- thirdAsked{one, mutation}
	}
}

func (t *third) judge(out *bufio.Reader, compare func(asked, string)) error {
	for one := range t.waiting {
		folder := filepath.Join(t.folder, fmt.Sprint(one.seed))
		arguments, err := writeFiles(folder, one.mutation)
		if err != nil {
			t.unwritable++
		} else {
			verdict, err := t.verdict(out, arguments)
			if err != nil {
				return fmt.Errorf("seed %d (%s): the third verifier: %w", one.seed, one.what, err)
			}
			t.judged++
			compare(one.asked, verdict)
		}
		if err := os.RemoveAll(folder); err != nil {
			return err
		}
	}
	return nil
}

func (t *third) verdict(out *bufio.Reader, arguments []string) (string, error) {
	line, err := json.Marshal(arguments)
	if err != nil {
		return "", err
	}
	if _, err := t.in.Write(append(line, '\n')); err != nil {
		return "", err
	}
	answer, err := out.ReadBytes('\n')
	if err != nil {
		return "", err
	}
	return sayAnswer(answer)
}

// sayAnswer gives an answer of batch mode in the form in which verdicts are compared.
func sayAnswer(answer []byte) (string, error) {
	var verdict struct {
		ExitCode int         `json:"exit_code"`
		Claims   [][]*string `json:"claims"`
	}
	if err := json.Unmarshal(answer, &verdict); err != nil {
		return "", fmt.Errorf("answered %q: %w", answer, err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "exit %d", verdict.ExitCode)
	for _, claim := range verdict.Claims {
		if len(claim) != 3 || claim[0] == nil || claim[1] == nil {
			return "", fmt.Errorf("answered %q: a claim is no list of id, status and code", answer)
		}
		fmt.Fprintf(&b, "; %s %s", *claim[0], *claim[1])
		if claim[2] != nil {
			b.WriteString(" " + *claim[2])
		}
	}
	return b.String(), nil
}

// finish waits for the last answers.
func (t *third) finish() error {
	if t == nil {
		return nil
	}
	close(t.waiting)
	err := <-t.done
	t.in.Close()
	if ended := t.command.Wait(); err == nil {
		err = ended
	}
	if removed := os.RemoveAll(t.folder); err == nil {
		err = removed
	}
	return err
}
