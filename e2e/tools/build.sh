#!/usr/bin/env bash
# Builds the programs that judge us from outside, unmodified and at the versions pinned in the modules here:
# mkr and mackerel-agent judge our fake Mackerel, helm renders our chart. Progress goes to stderr; the last
# line on stdout is the folder that holds them. A second call does nothing; two calls at once build once.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
cache="${ROLLCALL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/rollcall}/tools"
version="$(cat "$here"/{,helm/}go.mod "$here"/{,helm/}go.sum | sha256sum | cut -c1-16)"
done_dir="$cache/$version"

# Program: the module that pins it, and its package. Helm has a module of its own (see helm/tools.go).
declare -A programs=(
  [mkr]=". github.com/mackerelio/mkr"
  [mackerel-agent]=". github.com/mackerelio/mackerel-agent"
  [helm]="helm helm.sh/helm/v4/cmd/helm"
)

say() { printf 'tools: %s\n' "$*" >&2; }

build_all() {
  command -v go >/dev/null || {
    say "go is not on PATH; mkr, mackerel-agent and helm are built from source. Install Go (go.mod names the version) and run this again."
    exit 1
  }
  # Built beside the target and renamed, so that a folder of that name is always whole. Under the lock,
  # other half-built folders can only be those of builds that were killed.
  rm -rf "$cache"/.partial.*
  partial="$(mktemp -d "$cache/.partial.XXXXXX")"
  trap 'rm -rf "$partial"' EXIT
  local program module package
  for program in "${!programs[@]}"; do
    read -r module package <<<"${programs[$program]}"
    say "building $program"
    (cd "$here/$module" && GOFLAGS='' CGO_ENABLED=0 go build -mod=readonly -trimpath -buildvcs=false \
      -ldflags='-s -w' -o "$partial/$program" "$package") >&2
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
