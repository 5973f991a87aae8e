// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
)

const blockBytes = 512

// tarHeader is the one header that a file of that name and size can have.
func tarHeader(name string, size int64) [blockBytes]byte {
	var h [blockBytes]byte
	copy(h[0:100], name)
	copy(h[100:], "0000644")
	copy(h[108:], "0000000")
	copy(h[116:], "0000000")
	copy(h[124:], fmt.Sprintf("%011o", size))
	copy(h[136:], "00000000000")
	copy(h[148:], "        ")
	h[156] = '0'
	copy(h[257:], "ustar\x0000")
	copy(h[329:], "0000000")
	copy(h[337:], "0000000")
	sum := 0
	for _, b := range h {
		sum += int(b)
	}
	copy(h[148:], fmt.Sprintf("%06o\x00 ", sum))
	return h
}

// readHeader takes name and size out of a header and computes it anew: whatever else a header can say is refused with it.
func readHeader(block []byte) (name string, size int64, ok bool) {
	raw := block[:100]
	if end := bytes.IndexByte(raw, 0); end >= 0 {
		raw = raw[:end]
	}
	size, err := strconv.ParseInt(string(block[124:135]), 8, 64)
	if err != nil || size < 0 || len(raw) == 0 {
		return "", 0, false
	}
	for _, c := range raw {
		if c >= 0x80 {
			return "", 0, false
		}
	}
	header := tarHeader(string(raw), size)
	return string(raw), size, bytes.Equal(header[:], block)
}

func padded(size int64) int64 { return (size + blockBytes - 1) / blockBytes * blockBytes }

// listTar walks the headers, then looks at what stands between and behind the files.
func (b *Bundle) listTar(total int64) (*Fault, error) {
	block := make([]byte, blockBytes)
	zero := make([]byte, 2*blockBytes)
	at, last := int64(0), ""
	for at+blockBytes <= total {
		if _, err := b.tar.ReadAt(block, at); err != nil {
			return nil, err
		}
		if bytes.Equal(block, zero[:blockBytes]) {
			break
		}
		name, size, ok := readHeader(block)
		if !ok {
			return &Fault{CodeHeader, name}, nil
		}
		if fault := b.addMember(name, last, entry{kindOf(name), size, at + blockBytes}); fault != nil {
			return fault, nil
		}
		last = name
		at += blockBytes + padded(size)
	}
	if fault := b.checkMissing(); fault != nil {
		return fault, nil
	}
	return b.checkGaps(at, total, zero)
}

func (b *Bundle) addMember(name, last string, e entry) *Fault {
	if e.kind == unknown {
		return &Fault{CodeUnknown, name}
	}
	if last != "" {
		if before := b.entries[last].kind; e.kind < before || e.kind == before && name <= last {
			return &Fault{CodeHeader, name}
		}
	}
	if e.size > maxBytes[e.kind] {
		return &Fault{CodeSize, name}
	}
	b.add(name, e)
	return b.checkLastCount(e.kind, name)
}

// checkLastCount counts from the end, where files of one kind stand together.
func (b *Bundle) checkLastCount(of kind, name string) *Fault {
	limit := maxCount[of]
	if limit == 0 || len(b.names) <= limit || b.entries[b.names[len(b.names)-1-limit]].kind != of {
		return nil
	}
	return &Fault{CodeCount, name}
}

// checkGaps wants zeros behind each file up to the next block, two blocks of zeros, and the end.
func (b *Bundle) checkGaps(end, total int64, zero []byte) (*Fault, error) {
	if end+int64(len(zero)) != total {
		return &Fault{CodeEnd, ""}, nil
	}
	rest := make([]byte, len(zero))
	check := func(at int64, size int64) (bool, error) {
		if _, err := b.tar.ReadAt(rest[:size], at); err != nil && err != io.EOF {
			return false, err
		}
		return bytes.Equal(rest[:size], zero[:size]), nil
	}
	for _, name := range b.names {
		e := b.entries[name]
		if good, err := check(e.offset+e.size, padded(e.size)-e.size); !good || err != nil {
			return &Fault{CodeEnd, name}, err
		}
	}
	if good, err := check(end, int64(len(zero))); !good || err != nil {
		return &Fault{CodeEnd, ""}, err
	}
	return nil, nil
}
