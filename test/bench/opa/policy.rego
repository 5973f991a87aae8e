# SPDX-License-Identifier: Apache-2.0
# The rules of test/bench/src/world/firewall-rules.ts once more: default deny, deny overrides, hold above an amount.
package clyra

default decision := "block"

decision := "allow" if {
	count(deny) == 0
	not needs_approval
}

decision := "hold" if {
	count(deny) == 0
	needs_approval
}

route := found if {
	some found in data.routes
	found.method == input.method
	segments := split(found.path, "/")
	count(segments) == count(input.segments)
	every index, segment in segments {
		fits(segment, input.segments[index])
	}
}

fits(template, segment) if template == segment

fits(template, segment) if {
	startswith(template, "{")
	segment != ""
}

deny contains "route" if not route

deny contains "tenant" if input.header.tenant != input.credential.tenant

deny contains "tenant" if input.body.tenant != input.credential.tenant

deny contains "actor" if not input.header.actor in input.credential.actors

deny contains "actor" if input.body.actor != input.header.actor

deny contains "schema" if {
	[valid, _] := json.match_schema(input.body, data.schemas[route.schema])
	not valid
}

deny contains "key" if input.header.idempotency_key == ""

deny contains "velocity" if input.actions >= data.actions_max

needs_approval if to_number(input.body.amount) > data.approval_above
