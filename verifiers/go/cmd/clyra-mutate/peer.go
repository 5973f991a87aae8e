// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"

	"clyra.dev/verifiers/go/internal/archive"
	"clyra.dev/verifiers/go/internal/mutate"
)

// asked is a verdict of ours that waits for the other's.
type asked struct {
	seed uint64
	what string
	kind mutate.Kind
	ours string
}

// maxUnderWay bounds what waits between the two verifiers.
const maxUnderWay = 512

// peer is the other verifier. Cases go to it packed: a length of four bytes, a header of that length, and the bytes that the
// header speaks of; each is answered by one line.
type peer struct {
	command *exec.Cmd
	in      io.WriteCloser
	buffer  *bufio.Writer
	bases   []archive.Files
	waiting chan asked
	done    chan error
}

// header is what stands before the bytes of a case: `set` lists name and size, with −1 for a folder and −2 for what is
// neither file nor folder. A header with `define` gives a case that later ones refer to as `base`.
type header struct {
	Define *int     `json:"define,omitempty"`
	Base   *int     `json:"base,omitempty"`
	Head   bool     `json:"head,omitempty"`
	Drop   []string `json:"drop,omitempty"`
	Set    [][2]any `json:"set"`
}

func startPeer(command string, maker *mutate.Maker, compare func(asked, string)) (*peer, error) {
	if command == "" {
		return nil, nil
	}
	parts := strings.Fields(command)
	p := &peer{command: exec.Command(parts[0], parts[1:]...), waiting: make(chan asked, maxUnderWay), done: make(chan error, 1)}
	p.command.Stderr = os.Stderr
	var err error
	if p.in, err = p.command.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.buffer = bufio.NewWriterSize(p.in, 1<<20)
	if err := p.command.Start(); err != nil {
		return nil, err
	}
	go p.read(bufio.NewReaderSize(out, 1<<16), compare)
	for i, one := range maker.Cases() {
		flat := mutate.Flat(one)
		p.bases = append(p.bases, flat)
		if err := p.send(header{Define: &i}, flat); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *peer) read(out *bufio.Reader, compare func(asked, string)) {
	for one := range p.waiting {
		text, err := out.ReadString('\n')
		if err != nil {
			p.done <- fmt.Errorf("seed %d (%s): the other verifier: %w", one.seed, one.what, err)
			p.in.Close()
			for range p.waiting {
			}
			return
		}
		compare(one, strings.TrimSuffix(text, "\n"))
	}
	p.done <- nil
}

// ask sends a mutation; the answer is compared when it comes.
func (p *peer) ask(one asked, mutation mutate.Mutation) {
	if p == nil {
		return
	}
	flat := mutate.Flat(mutation.Case)
	h := header{Head: mutation.Case.Head}
	changed := flat
	if mutation.Base >= 0 {
		h.Base = &mutation.Base
		changed = archive.Files{}
		base := p.bases[mutation.Base]
		for name, content := range flat {
			if was, had := base[name]; !had || was.Is != content.Is || !bytes.Equal(was.Bytes, content.Bytes) {
				changed[name] = content
			}
		}
		for name := range base {
			if _, has := flat[name]; !has {
				h.Drop = append(h.Drop, name)
			}
		}
	}
	p.waiting <- one
	// An error shows as the end of the answers.
	_ = p.send(h, changed)
}

func (p *peer) send(h header, files archive.Files) error {
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	h.Set = make([][2]any, 0, len(names))
	for _, name := range names {
		size := len(files[name].Bytes)
		if is := files[name].Is; is != archive.File {
			size = -int(is)
		}
		h.Set = append(h.Set, [2]any{name, size})
	}
	text, err := json.Marshal(h)
	if err != nil {
		return err
	}
	p.buffer.Write(binary.BigEndian.AppendUint32(nil, uint32(len(text))))
	p.buffer.Write(text)
	for _, name := range names {
		if files[name].Is == archive.File {
			p.buffer.Write(files[name].Bytes)
		}
	}
	return p.buffer.Flush()
}

// finish waits for the last answers.
func (p *peer) finish() error {
	if p == nil {
		return nil
	}
	close(p.waiting)
	if err := <-p.done; err != nil {
		_ = p.command.Wait()
		return err
	}
	p.in.Close()
	return p.command.Wait()
}
