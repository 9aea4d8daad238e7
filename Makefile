# Everything a person runs. `make help` lists it; the README shows it.
# The heavy steps share one profile and one set of features, so that dependencies compile once.
SHELL := /bin/bash
.DEFAULT_GOAL := help

ROLLCALL_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/rollcall
export ROLLCALL_CACHE

# Tests and demo let fakes drive the world clock; a release build refuses this feature.
WORKSPACE := --workspace --features rollcall/test-clock
LIGHT := -p rollcall-crds -p rollcall-engine -p rollcall-monitoring -p rollcall-fuzz

.PHONY: help
help: ## What there is to run
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

.PHONY: check
check: ## Format, lints and tests of the light crates; a minute when warm
	cargo fmt --all --check
	cargo clippy $(LIGHT) --all-targets -- -D warnings
	cargo test -q $(LIGHT) --lib --tests
	cargo clippy -q -p rollcall --no-default-features --all-targets -- -D warnings
	cargo test -q -p rollcall --no-default-features

.PHONY: test
test: ## Everything: format, lints, unit, property, CRD, conformance, end to end (sets up what it needs)
	@e2e/run-tests.sh

.PHONY: laws
laws: ## The property tests with other cases than those of `make test`, and many more: CASES=2000
	PROPTEST_CASES=$(or $(CASES),2000) cargo test -q $(LIGHT) -p rollcall-fakes --lib --tests

.PHONY: fuzz
fuzz: ## Every parser of foreign formats under libFuzzer: RUNS=1000000 SECONDS=600 TARGET=nagios_status_dat
	@e2e/fuzz/fuzz.py $(if $(RUNS),--runs $(RUNS)) $(if $(SECONDS),--seconds $(SECONDS)) $(if $(TARGET),--target $(TARGET))

.PHONY: simulate
simulate: ## Worlds of the simulator, for a release: SEEDS=1000000 FROM=0
	cargo run --release -q -p rollcall-simulator -- --seeds $(or $(SEEDS),1000000) --from $(or $(FROM),0) --jobs 2

.PHONY: demo
demo: ## A messy fleet, three fakes, a real API server and the operator, narrated
	@e2e/demo/demo.sh

.PHONY: bench
bench: ## The figures of docs/targets.md
	@e2e/bench/bench.sh

.PHONY: generate
generate: ## Write again all that is generated: CRD YAML, chart templates, references, the README's outputs
	UPDATE=1 cargo test -q -p rollcall-crds --test generated --test reference
	UPDATE=1 cargo test -q $(WORKSPACE) -p rollcall --test reference
	cargo programs -q
	ROLLCALL_BIN="$${CARGO_TARGET_DIR:-target}/debug/rollcall" "$${CARGO_TARGET_DIR:-target}/debug/rollcall-demo" --record e2e/demo/backlog.recording.json.gz
	UPDATE=1 cargo test -q $(WORKSPACE) -p rollcall-e2e --test generated --test readme
