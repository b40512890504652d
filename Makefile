# gpucoord. `make demo` shows the whole product; `make test` runs every test.
SHELL := /bin/bash
export GOFLAGS := -buildvcs=false
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT := $(shell git rev-parse HEAD 2>/dev/null || echo none)
V := github.com/cosmos/cosmos-sdk/version
LDFLAGS := -s -w -X $(V).Name=gpucoord -X $(V).AppName=gpucoord -X $(V).Version=$(VERSION) -X $(V).Commit=$(COMMIT)
# Where a C compiler is at hand the chain verifies signatures with libsecp256k1; without one it builds in pure Go.
CHAIN_TAGS := $(if $(filter 1,$(shell go env CGO_ENABLED)),libsecp256k1_sdk)

.DEFAULT_GOAL := help
.PHONY: help build install demo test test-unit test-nightly test-e2e bench fuzz lint fmt proto proto-check tidy check clean

## help: print the targets
help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

## build: put both binaries in build/
build: build/gpucoord build/gpucoord-relayer

.PHONY: build/gpucoord build/gpucoord-relayer
build/gpucoord:
	go build -trimpath -tags "$(CHAIN_TAGS)" -ldflags '$(LDFLAGS)' -o $@ ./cmd/gpucoord

build/gpucoord-relayer:
	go build -trimpath -ldflags '$(LDFLAGS)' -o $@ ./cmd/gpucoord-relayer

## demo: a node, three operators, two gateways and their royalties, on this machine (DEMO="--once --requests 200")
demo: build
	./build/gpucoord-relayer demo $(DEMO)

## test: every test, and the end-to-end test on the built binaries
test: test-unit test-contracts test-e2e

## test-unit: unit, vectors, property, keeper, app and daemon tests
test-unit:
	./scripts/go-test.sh ./...

.PHONY: contracts contracts-check test-contracts bench-evm
## contracts: compile contracts/, write the committed artifacts and the Go binding
contracts:
	./scripts/contracts.sh build

## contracts-check: fail when a committed artifact or the binding is not what the sources give
contracts-check:
	./scripts/contracts.sh check

## test-contracts: contracts-check, then forge's tests; says SKIPPED where npm can not be reached
test-contracts:
	./scripts/contracts.sh test

## bench-evm: gas of anchors and proofs, printed as a table; fails above a limit
bench-evm:
	set -o pipefail; go test ./contracts/difftest -count=1 -run '^TestGas' -v | grep -v -E '^(INFO|WARN|=== )'

## test-nightly: the property tests of the domain with 10000 cases each (CASES=100000)
test-nightly:
	RAPID_CHECKS=$(or $(CASES),10000) ./scripts/go-test.sh -count=1 ./domain/...

## test-e2e: drive the built binaries
test-e2e: build
	./scripts/go-test.sh -tags e2e ./e2e/...

## bench: measured ratios, printed as tables
bench:
	BENCH_TAGS="$(CHAIN_TAGS)" ./scripts/bench.sh

## fuzz: every fuzz target, 5000 inputs each (FUZZTIME=100000x)
fuzz:
	./scripts/fuzz.sh $(or $(FUZZTIME),5000x)

## lint: vet, staticcheck, gofumpt and, where it installs, golangci-lint
lint:
	./scripts/lint.sh

## fmt: format the tree
fmt:
	cd tools && go build -o ../.cache/bin/ github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	.cache/bin/golangci-lint fmt ./...

## proto: regenerate the protobuf code from proto/, offline
proto:
	./scripts/proto.sh

## proto-check: fail when the committed protobuf code is not what proto/ gives
proto-check: proto
	git diff --exit-code -- x proto third_party

## tidy: go.mod holds what is imported
tidy:
	go mod tidy

## check: what CI runs
check:
	./.ci/run

## clean: remove what the build made
clean:
	rm -rf build .cache .gen
