# SPDX-License-Identifier: Apache-2.0
# Two commands need nothing before them: `make quickstart` and `make test`. `make help` lists the rest.

SHELL := bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Node 24 comes as a package and goes first on the PATH. Set-up itself uses the host's Node, since it replaces node_modules.
WITH_NODE := PATH="$(CURDIR)/node_modules/.bin:$$PATH"
RUN := $(WITH_NODE) node --conditions=@clyra/source
CLYRA := cli/bin/clyra
GATE := $(RUN) tools/src/gate.ts
STAMP := node_modules/.clyra-setup

.PHONY: help setup quickstart test test-long up down bench corpora docs lint types unit prop vector replay sim int e2e faults format clean

help: ## what each target does
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

setup: $(STAMP) ## check the host's tools and install the packages; does nothing if the lock file did not change

$(STAMP): package-lock.json tools/setup.mjs
	@command -v node >/dev/null || { echo 'This machine lacks Node.js: install version 20 or newer (nodejs.org, nvm, or your package manager).' >&2; exit 1; }
	@node tools/setup.mjs
	@$(WITH_NODE) node --disable-warning=ExperimentalWarning libs/runtime/start/strip-sources.mjs
	@touch $@

quickstart: setup ## the whole pipeline on this machine: guarded changes in, a verified evidence bundle out
	@$(CLYRA) quickstart

test: setup ## the gate, the same as in CI: lint, types, every tier of tests
	@$(GATE)

test-long: setup ## the gate, and then what is too slow for it
	@$(GATE) --long

up: setup ## start the local stack: Kafka, schema registry, PostgreSQL
	@$(CLYRA) up

down: setup ## stop the local stack
	@$(CLYRA) down

bench: setup ## measure, side by side with a peer; prints a table
	@$(GATE) --bench

corpora: setup ## measure the detectors on every corpus; with WHEELS=folder without a network, with JSON=1 for programs
	@$(RUN) test/corpora/detectors/measure.ts $(if $(WHEELS),--wheels '$(WHEELS)') $(if $(JSON),--json) $(if $(ACCEPT),--accept)

docs: setup ## write what is generated: docs/reference, docs/spec/examples.md, the bundle of packs/hello-bundle
	@$(RUN) tools/src/reference.ts
	@$(RUN) test/spec/write-examples.ts
	@$(RUN) test/hello-bundle/write-hello-bundle.ts

lint types unit prop vector replay sim int e2e faults: setup ## one step of the gate alone
	@$(GATE) --only $@

format: setup ## write the formatting and the safe fixes of the linter
	@$(WITH_NODE) biome check --write .

clean: ## forget build output and caches; packages stay
	@rm -rf .nx coverage node_modules/.cache/clyra $$(find . -name node_modules -prune -o -name dist -type d -print)
