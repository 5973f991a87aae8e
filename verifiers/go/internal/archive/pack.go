// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"cmp"
	"slices"
)

// Pack writes the files among the contents as the one archive that they can be.
func Pack(files Files) []byte {
	names := make([]string, 0, len(files))
	for name, content := range files {
		if content.Is == File {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(kindOf(a), kindOf(b)), cmp.Compare(a, b))
	})
	var out []byte
	for _, name := range names {
		data := files[name].Bytes
		header := tarHeader(name, int64(len(data)))
		out = append(append(out, header[:]...), data...)
		out = append(out, make([]byte, padded(int64(len(data)))-int64(len(data)))...)
	}
	return append(out, make([]byte, 2*blockBytes)...)
}
