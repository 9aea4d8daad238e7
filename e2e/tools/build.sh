#!/usr/bin/env bash
# Builds the programs that judge our fakes from outside, unmodified and at the versions pinned in
# go.mod: mkr and mackerel-agent. Progress goes to stderr; the last line on stdout is the folder that
# holds them. A second call does nothing; two calls at once build once.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
cache="${ROLLCALL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/rollcall}/tools"
version="$(cat "$here/go.mod" "$here/go.sum" | sha256sum | cut -c1-16)"
done_dir="$cache/$version"

declare -A programs=(
  [mkr]=github.com/mackerelio/mkr
  [mackerel-agent]=github.com/mackerelio/mackerel-agent
)

say() { printf 'tools: %s\n' "$*" >&2; }

build_all() {
  command -v go >/dev/null || {
    say "go is not on PATH; mkr and mackerel-agent are built from source. Install Go (go.mod names the version) and run this again."
    exit 1
  }
  # Built beside the target and renamed, so that a folder of that name is always whole.
  partial="$(mktemp -d "$cache/.partial.XXXXXX")"
  trap 'rm -rf "$partial"' EXIT
  for program in "${!programs[@]}"; do
    say "building $program"
    (cd "$here" && GOFLAGS='' CGO_ENABLED=0 go build -mod=readonly -trimpath -buildvcs=false \
      -ldflags='-s -w' -o "$partial/$program" "${programs[$program]}") >&2
  done
  chmod 755 "$partial"
  mv -T "$partial" "$done_dir"
  say "built in ${SECONDS}s"
}

mkdir -p "$cache"
exec 9>"$cache/.lock"
flock -n 9 || { say "another build is running; waiting for it"; flock 9; }
[[ -d "$done_dir" ]] || build_all
printf '%s\n' "$done_dir"
