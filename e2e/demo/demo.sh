#!/usr/bin/env bash
# `make demo`: first the light command line calls the roll of a recording, in two minutes on a fresh machine; meanwhile
# and afterwards the rest builds, and then the same fleet lives: three fakes, a real API server, the operator.
# KUBECONFIG=FILE plays in that cluster instead. Arguments go to rollcall-demo: `--once` ends after one round.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export ROLLCALL_CACHE=${ROLLCALL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/rollcall}
target=${CARGO_TARGET_DIR:-target}
recording=e2e/demo/backlog.recording.json.gz
began=$SECONDS
background=()
tree=

say() { printf '%s\n' "$*"; }
elapsed() { printf '%d min %02d s' $(((SECONDS - began) / 60)) $(((SECONDS - began) % 60)); }

# Whatever ends this script ends what it started, with all children: each has a process group of its own.
tidy() {
  local pid
  for pid in "${background[@]:-}"; do
    [[ -z $pid ]] || kill -TERM -- "-$pid" 2>/dev/null || true
  done
  [[ -z $tree ]] || rm -r "$tree"
}
trap tidy EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

in_background() { # LOG COMMAND...   what is awaited in the foreground goes first
  local log=$1
  shift
  set -m
  nice -n 15 "$@" >"$log" 2>&1 </dev/null &
  background+=($!)
  set +m
}

need() { # PROGRAM WHY
  command -v "$1" >/dev/null || {
    say "demo: expected $1 on PATH, found none: $2"
    exit 1
  }
}

need cargo "install Rust (rust-toolchain.toml names the version)"
mkdir -p "$ROLLCALL_CACHE"
controlplane=
if [[ -z ${KUBECONFIG:-} ]]; then
  [[ -n ${ROLLCALL_CONTROLPLANE:-} ]] || need go "the Kubernetes API server is built from source (e2e/controlplane/go.mod names the version); or name a cluster in KUBECONFIG"
  controlplane=$ROLLCALL_CACHE/controlplane.log
  in_background "$controlplane" bash -c 'e2e/controlplane/build.sh && e2e/tools/build.sh'
else
  need go "helm, which renders the chart, is built from source (e2e/tools/helm/go.mod names the version)"
  need kubectl "KUBECONFIG names a cluster; the demo shows it with kubectl"
fi

# One lock for each target folder: the light build goes first, the heavy one after it.
say "Building the light command line (no cloud, no cluster): a minute or two the first time."
# Not optimised, unlike all that follows: what is wanted of it is to be there soon.
CARGO_PROFILE_DEV_OPT_LEVEL=0 cargo build --quiet -p rollcall --no-default-features
say ""
say "\$ rollcall plan -f crds/examples/backlog --on $recording"
status=0
"$target/debug/rollcall" plan -f crds/examples/backlog --on "$recording" || status=$?
# 1 says that there are findings; that is what this fleet is for.
((status <= 1)) || exit "$status"
say ""
say "That was a recording, after $(elapsed)."

# What else can be asked of it: each in a few lines, for the terminal has only so many.
show() { # LINES ARGUMENTS...
  local lines=$1 status=0 printed
  shift
  say ""
  say "\$ rollcall $*"
  printed=$("$target/debug/rollcall" "$@" 2>&1) || status=$?
  ((status <= 1)) || {
    say "$printed"
    exit "$status"
  }
  head -n "$lines" <<<"$printed"
  lines=$(($(wc -l <<<"$printed") - lines))
  ((lines <= 0)) || say "[$lines more lines]"
}
say ""
say "The coverage ledger, who came and went, and all about one host:"
show 12 ledger -f crds/examples/backlog --on "$recording"
show 8 changes --since 72h --on "$recording"
show 20 explain com2-db-1 --on "$recording"
say ""
say "How an old fleet is adopted: a first tree from what exists; what is wrong today is frozen, and only shrinks from then on:"
tree=$(mktemp -d)
show 9 import mackerel --on "$recording" --out "$tree"
show 2 plan -f "$tree" --on "$recording"
show 12 baseline -f "$tree" --on "$recording" --approver you --out "$tree/baseline"
show 2 plan -f "$tree" --on "$recording"
rm -r "$tree"
tree=
say ""
say "Now the same fleet, alive."

tick() { # what a terminal sees in cargo's own bar, others are told every half minute
  while sleep 30; do
    say "  still building after $(elapsed)$(controlplane_state)"
  done
}

controlplane_state() {
  if [[ -n $controlplane ]]; then
    printf '; API server: %s' "$(tail -n 1 "$controlplane" | sed 's/^controlplane: //' | cut -c1-60)"
  fi
}

if compgen -G "$target/debug/deps/libaws_sdk_ec2-*.rlib" >/dev/null; then
  say "Building the operator and the fakes: seconds, when nothing big has changed."
else
  say "Building the operator and the fakes: about 15 minutes on 2 cores the first time, then never again."
fi
if [[ ! -t 2 ]]; then
  set -m
  tick &
  background+=($!)
  ticker=$!
  set +m
fi
cargo programs
if [[ -n $controlplane ]]; then
  say "Waiting for the API server's build, if it is not there yet$(controlplane_state)"
  wait "${background[0]}" || {
    cat "$controlplane"
    exit 1
  }
fi
[[ -z ${ticker:-} ]] || kill -TERM -- "-$ticker" 2>/dev/null || true
background=()
say "Built after $(elapsed)."
say ""

ROLLCALL_BIN=$(cd "$target/debug" && pwd)/rollcall
export ROLLCALL_BIN
exec "$target/debug/rollcall-demo" "$@"
