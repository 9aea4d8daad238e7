#!/usr/bin/env bash
# `make bench`: the figures of docs/targets.md, one a line, each with its target and verdict.
#   --only engine|pass|edit|steady|recovery   measure that alone
#   --hosts N                                 hosts of the engine's part and of the full pass (20000)
# Nothing else should run on the machine meanwhile: the figures of a busy one are the neighbours' too.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export ROLLCALL_CACHE=${ROLLCALL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/rollcall}
target=${CARGO_TARGET_DIR:-target}
only=
hosts=20000

usage() {
  sed -n '2,4s/^# \?//p' "$0"
  exit "$1"
}

while (($#)); do
  case $1 in
    --only) only=${2:-}; shift ;;
    --hosts) hosts=${2:-}; shift ;;
    --help | -h) usage 0 ;;
    *) echo "bench: expected --only or --hosts, found $1" >&2; usage 2 >&2 ;;
  esac
  shift
done
case $only in
  '' | engine | pass | edit | steady | recovery) ;;
  *) echo "bench: --only: expected engine, pass, edit, steady or recovery, found $only" >&2; exit 2 ;;
esac
[[ $hosts =~ ^[1-9][0-9]*$ ]] || { echo "bench: --hosts: expected a number, found $hosts" >&2; exit 2; }

# Instructions do not depend on the neighbours; the ratio says whether cost is linear in hosts.
instructions() { # HOSTS
  valgrind --tool=callgrind --callgrind-out-file=/dev/null "$target/release/rollcall-bench-engine" --once --hosts "$1" 2>&1 |
    sed -n 's/.*Collected : //p' | tr -d ' '
}

engine() {
  # By itself and without the feature live: a release build of no client and no AWS SDK.
  cargo build --quiet --release -p rollcall-bench --no-default-features --bin rollcall-bench-engine
  "$target/release/rollcall-bench-engine" --hosts "$hosts"
  if ! command -v valgrind >/dev/null; then
    echo "instructions: not measured, valgrind is not installed"
    return
  fi
  local whole tenth
  whole=$(instructions "$hosts")
  tenth=$(instructions $((hosts / 10)))
  awk -v w="$whole" -v t="$tenth" -v h="$hosts" 'BEGIN {
    printf "%-64s %16s\n", "instructions: generate, parse, first roll_call of " h " hosts", sprintf("%.2f G", w / 1e9)
    printf "%-64s %16s\n", "instructions: over those of a tenth of the hosts", sprintf("%.2f ×", w / t)
  }'
}

live() { # ARGUMENTS...
  e2e/controlplane/build.sh >&2
  cargo programs --quiet
  ROLLCALL_BIN=$(cd "$target/debug" && pwd)/rollcall
  export ROLLCALL_BIN
  echo "operator and fakes: debug build (unoptimised): an upper bound for time and memory"
  "$target/debug/rollcall-bench" --hosts "$hosts" "$@"
}

echo "$(date -u +%F), $(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg) at the begin"
case $only in
  engine) engine ;;
  '')
    engine
    live
    ;;
  *) live --only "$only" ;;
esac
