// SPDX-License-Identifier: Apache-2.0

package line

import (
	"clyra.dev/verifiers/go/internal/shape"
	"clyra.dev/verifiers/go/internal/strictjson"
)

const maxPartnerNameUnits = 256

var (
	correlationRule = shape.Object(
		shape.Member{Name: "actor_principal?", Rule: partnerName},
		shape.Member{Name: "approver_principal?", Rule: partnerName},
		shape.Member{Name: "client_app_id?", Rule: committable},
		shape.Member{Name: "session_id?", Rule: committable},
	)
	commitmentRule = shape.Object(shape.Member{Name: "$commit", Rule: shape.Digest})
)

// checkCorrelation holds the names under which the logs of a partner know a run against their form.
func checkCorrelation(c *shape.Checker, v strictjson.Value, path string) {
	const name = "correlation"
	correlationRule(c, v, path, name)
	if c.OK() && v.Len() == 0 {
		c.Fault(path, name)
	}
}

// partnerName is a text of 1 to 256 characters, which are UTF-16 code units, without control characters.
func partnerName(c *shape.Checker, v strictjson.Value, path, name string) {
	text, ok := v.Text()
	units := 0
	for _, char := range text {
		if units++; char > 0xFFFF {
			units++
		}
		ok = ok && char > 0x1F && char != 0x7F
	}
	if !ok || units < 1 || units > maxPartnerNameUnits {
		c.Fault(path, name)
	}
}

// committable is such a text, or what commits to it.
func committable(c *shape.Checker, v strictjson.Value, path, name string) {
	if v.Kind() == strictjson.Object {
		commitmentRule(c, v, path, name)
		return
	}
	partnerName(c, v, path, name)
}
