#!/usr/bin/env bash
# `make test`: sets up all it needs, runs everything, and says where the minutes went.
# A step that cannot run here is skipped loudly and counted; a step that fails ends the run.
set -uo pipefail
cd "$(dirname "$0")/.."
cache="${ROLLCALL_CACHE:?run me by make test}"
mkdir -p "$cache"
features=(--workspace --features rollcall/test-clock)
# Laws draw the same cases in each run, so that what lands is what was tested; `make laws` draws others, and more.
export PROPTEST_RNG_SEED="${PROPTEST_RNG_SEED:-20261123}"
began=$SECONDS
table=""
skipped=0

step() { # NAME COMMAND...
    local name=$1 start=$SECONDS
    shift
    printf '\n=== %s\n' "$name"
    if "$@"; then
        table+=$(printf '%-46s %5d s' "$name" $((SECONDS - start)))$'\n'
    else
        printf '\n=== FAILED: %s (exit %d)\n' "$name" $?
        exit 1
    fi
}

in_background() { # NAME LOG COMMAND...   the control plane is Go: it builds beside the Rust crates
    local name=$1 log=$2
    shift 2
    ("$@" >"$log" 2>&1) &
    background+=("$name:$!:$log")
}

join_background() {
    local entry name pid log
    for entry in "${background[@]}"; do
        IFS=: read -r name pid log <<<"$entry"
        if ! wait "$pid"; then
            cat "$log"
            return 1
        fi
    done
}

supply_chain() { # licences, sources and the one TLS provider, as deny.toml says
    local bin=$cache/cargo-tools/bin/cargo-deny
    [[ -x $bin ]] || cargo install --quiet --locked --root "$cache/cargo-tools" --target-dir "$cache/cargo-tools/target" \
        --version 0.20.2 cargo-deny || return 1
    # It looks at the crates of every platform, and a build has brought those of this one alone.
    cargo fetch --quiet --locked || return 1
    "$bin" --offline check --hide-inclusion-graph licenses bans sources
}

background=()
in_background "control plane" "$cache/controlplane.log" e2e/controlplane/build.sh
step "format" cargo fmt --all --check
step "build everything" cargo test "${features[@]}" --no-run
step "control plane (built beside it)" join_background
step "mkr and mackerel-agent" e2e/tools/build.sh
step "lints" cargo clippy "${features[@]}" --all-targets -- -D warnings
# In a folder of its own, so that the light binary never stands where the end-to-end tests look for the whole one.
light_cli() {
    local CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}/light
    export CARGO_TARGET_DIR
    cargo clippy -p rollcall --no-default-features --all-targets -- -D warnings &&
        cargo test -p rollcall --no-default-features
}
step "light CLI: lints and tests" light_cli
step "licences, sources, one TLS provider" supply_chain
step "conformance: fake AWS and moto" env FAKE_AWS="${CARGO_TARGET_DIR:-target}/debug/fake-aws" e2e/conformance/run.sh
# A test that cannot run here says "SKIPPED (n): why" on a line of its own, and is counted.
all_tests() {
    local log=$cache/tests.log
    e2e/run_suites.py "${features[@]}" 2>&1 | tee "$log"
    local outcome=${PIPESTATUS[0]}
    skipped=$(grep -oE '^SKIPPED \([0-9]+\)' "$log" | grep -oE '[0-9]+' | awk '{n += $1} END {print n + 0}')
    return "$outcome"
}
# The same inputs each time, as far as their seconds reach; `make fuzz` goes on from what earlier runs found.
step "fuzz: every parser of foreign formats" e2e/fuzz/fuzz.py --seconds 5 --seed 20261123 --afresh
step "simulator: 20,000 worlds" "${CARGO_TARGET_DIR:-target}/debug/rollcall-simulator" --seeds 20000 --jobs 2
step "unit, property, CRD and end-to-end tests" all_tests

printf '\n=== where the time went (%d s in all, %d skipped)\n%s' $((SECONDS - began)) "${skipped:-0}" "$table"
