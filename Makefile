# Every target runs from a clean clone with Go alone. GOFLAGS and GO are respected.
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -ec
GO ?= go
GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.1.4
WORKFLOWCHECK := go.temporal.io/sdk/contrib/tools/workflowcheck@v0.6.0

# The embedded Temporal server is most of what there is to compile: packages whose tests hold it are not run with -race.
UNHEAVY = $(GO) list -test -f '{{.ImportPath}} {{join .Deps " "}}' ./... \
	| awk '$$1 ~ /\.test$$/ && !/ go\.temporal\.io\/server\// { sub(/\.test$$/, "", $$1); print $$1 }'

.PHONY: help drill build test race lint bench bench-full bench-keep check judge watch watch-cost bypass bypass-mutants mutations storm property fuzz chaos fleet chaos-mutants drills reproducible vuln

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-14s %s\n", $$1, $$2 }' Makefile

drill: ## a stolen key, contained, signed off, revoked and proven dead, in this terminal
	$(GO) run ./cmd/tourniquet drill

# One line builds every binary that leaves this house: here, in the Dockerfile and in .goreleaser.yaml. A test compares them.
TAGS ?=
BUILD = CGO_ENABLED=0 $(GO) build -trimpath -tags '$(TAGS)' -ldflags '-s -w'

build: ## bin/tourniquet, static; TAGS=slim leaves the embedded workflow engine out, for workers beside a cluster
	$(BUILD) -o bin/tourniquet ./cmd/tourniquet

reproducible: ## the same commit built in two folders is the same bytes
	@dir=$$(mktemp -d); trap 'git worktree remove --force "$$dir/copy"; rm -rf "$$dir"' EXIT; git worktree add -q --detach "$$dir/copy" HEAD; \
		$(BUILD) -buildvcs=false -o "$$dir/one" ./cmd/tourniquet; (cd "$$dir/copy" && $(BUILD) -buildvcs=false -o "$$dir/two" ./cmd/tourniquet); \
		sha256sum "$$dir/one" "$$dir/two"; cmp "$$dir/one" "$$dir/two"

vuln: ## known vulnerabilities in what is compiled in, and gosec over our own code
	$(GO) run $(GOVULNCHECK) ./...
	$(GO) run $(GOLANGCI) run --enable-only gosec ./...

test: ## vet and every test
	./test/setup.sh
	$(GO) vet ./...
	$(GO) test -timeout 20m ./...

race: ## every package that does not embed the server, three times, with the race detector
	@list="$$($(UNHEAVY))"; test -n "$$list" && $(GO) test -timeout 60m -count=3 -race $$list

lint: ## formatting, vet, determinism of workflows, golangci-lint (its first build takes minutes)
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "run gofmt -w on:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet ./...
	$(GO) run $(WORKFLOWCHECK) -config workflowcheck.config.yaml ./workflows/...
	$(GO) run $(GOLANGCI) run ./...

.PHONY: conformance faults
conformance: ## every request of every client, and every answer of the sandbox, against the services' own descriptions
	$(GO) run ./test/conformance -write docs/conformance.md

faults: ## every client against every way in which a service fails; prints the table
	$(GO) test -count=1 ./test/faults -update
	@cat docs/faults.md

bench: ## alert to first request, and runs per second, beside the bare workflow engine
	$(GO) run ./test/bench

BENCH ?= -postgres -scale -grown 300 -parked 10000 -limit 60m
bench-keep: ## everything that can be measured, compared with the last time, and added to test/bench/history.jsonl (about half an hour)
	$(GO) run ./test/bench $(BENCH) -record

bench-full: ## the same, ten times the closed runs, and 10,000 runs that wait for people (about twenty minutes)
	$(GO) run ./test/bench -grown 300 -parked 10000 -limit 60m

property: ## 10,000 generated playbooks on the real workflow with every sign-off refused, and 10,000 with people who sign
	$(GO) test ./workflows -run 'WithoutPeople|AFinalCallAlways' -v -rapid.checks=10000 -timeout 3h

FUZZTIME ?= 1000000x
fuzz: ## every fuzz target of the language, one after the other, 1,000,000 executions each
	@for t in FuzzParse FuzzLint FuzzGraph; do $(GO) test ./playbooks -run '^$$' -fuzz "^$$t$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x -parallel 1 || exit 1; done
	$(GO) test ./playbooks/format -run '^$$' -fuzz '^FuzzFormat$$' -fuzztime $(FUZZTIME) -fuzzminimizetime 10x -parallel 1

RELEASE ?= unreleased
.PHONY: histories
histories: ## record anew what the workflow engine holds of runs of every kind; every later release replays them (about four minutes; ONLY=signoff-approved: that one)
	$(GO) build -o bin/tourniquet ./cmd/tourniquet
	$(GO) test ./workflows -count=1 -timeout 20m -run TestRunsThatEarlierReleasesBegan -record '$(CURDIR)/bin/tourniquet' -release '$(RELEASE)' -only '$(ONLY)'

watch: ## how well the usage watch finds thefts, and how often it cries wolf
	$(GO) run ./test/watch

watch-cost: ## what polling 10,000 keys takes of one core, answers decoded and records written
	$(GO) run ./test/watch -cost 10000

mutations: ## break the shipped playbooks on purpose, and name what catches each slip
	$(GO) run ./test/mutate

drills: ## every drill, judged from what the world saw; writes docs/drills.md (about ten minutes)
	@mkdir -p bin
	$(GO) build -o bin/tourniquet ./cmd/tourniquet
	$(GO) build -o bin/judge ./test/judge
	$(GO) run ./test/drills

check: lint test race judge ## all of it, as before a release

judge: ## a scripted drill, judged from what the world saw
	@mkdir -p bin/drill
	$(GO) build -o bin/tourniquet ./cmd/tourniquet
	$(GO) build -o bin/judge ./test/judge
	bin/tourniquet drill --approve auto -o json --world-log bin/drill/world.jsonl > bin/drill/drill.json
	bin/judge --world bin/drill/world.jsonl --drill bin/drill/drill.json

bypass: ## some eighty ways to get a final call without people, through the real doors; 0 final calls
	@mkdir -p bin
	$(GO) run ./test/bypass -json bin/bypass.jsonl

bypass-mutants: ## the same against ten builds, each without one check: every one must turn it red
	$(GO) run ./test/bypass -mutants
storm: ## 10,000 alerts about 100 keys from 50 clients: undisturbed, then with serve killed and the engine away for a minute
	@mkdir -p bin
	$(GO) build -o bin/tourniquet ./cmd/tourniquet
	$(GO) build -o bin/judge ./test/judge
	$(GO) run ./test/storm -binary bin/tourniquet -judge bin/judge -p99 100ms
	$(GO) run ./test/storm -binary bin/tourniquet -judge bin/judge -disturb

chaos: ## serve killed at every transition of many runs, and forty kinds of fault around it; judged from the world's log
	$(GO) run ./test/chaos

fleet: ## two processes with doors and two workers on PostgreSQL and a workflow engine of its own, replaced one after the other while people press
	$(GO) run ./test/chaos -only fleet

chaos-mutants: ## the same against builds that answer before they store, or write a receipt before the call: each must turn it red
	$(GO) run ./test/chaos -mutants
