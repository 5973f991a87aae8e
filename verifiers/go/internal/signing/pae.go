// SPDX-License-Identifier: Apache-2.0

package signing

import "strconv"

// AppendPAE writes DSSE's pre-authentication encoding: type and payload, each framed by its length.
func AppendPAE(out []byte, payloadType string, payload []byte) []byte {
	out = append(out, "DSSEv1 "...)
	out = strconv.AppendInt(out, int64(len(payloadType)), 10)
	out = append(out, ' ')
	out = append(out, payloadType...)
	out = append(out, ' ')
	out = strconv.AppendInt(out, int64(len(payload)), 10)
	out = append(out, ' ')
	return append(out, payload...)
}
