#!/usr/bin/env bash
# Builds the control plane of tests and demo once, outside `target/`, and prints the path of the
# binary as the last line of standard output. Progress goes to standard error. Does nothing when the
# binary for exactly these sources is there already; two builders never build twice.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${ROLLCALL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/rollcall}/controlplane
say() { printf 'controlplane: %s\n' "$*" >&2; }

# The one place that names the version is go.mod.
version=$(awk '$1 == "k8s.io/kubernetes" { print $2 }' "$here/go.mod")
[[ $version =~ ^v([0-9]+)\.([0-9]+)\.[0-9]+$ ]] || {
  say "$here/go.mod: k8s.io/kubernetes: expected a version like v1.37.2, found '$version'"
  exit 1
}
major=${BASH_REMATCH[1]} minor=${BASH_REMATCH[2]}

sha256() { if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi; }
# build.sh is part of the sources: it holds the linker flags.
sources=$(cd "$here" && LC_ALL=C cat go.mod go.sum ./*.go build.sh | sha256 | cut -c1-16)
folder=$cache/$version-$sources
binary=$folder/controlplane

if [[ -x $binary ]]; then
  echo "$binary"
  exit 0
fi

command -v go >/dev/null || {
  say "expected Go $(awk '$1 == "go" { print $2 }' "$here/go.mod") or newer on PATH, found none; install Go, or set ROLLCALL_CONTROLPLANE to a built binary"
  exit 1
}
mkdir -p "$cache"

# A lock that lets go by itself when a builder is killed. Without flock (macOS) two builders may build
# twice, each in a folder of its own; the last one stays.
if command -v flock >/dev/null; then
  exec 9>"$folder.lock"
  flock --nonblock 9 || {
    say "another builder is at work on $folder; waiting for it"
    flock 9
  }
  rm -rf "$folder".building.* # left by a killed builder
fi
if [[ -x $binary ]]; then
  echo "$binary"
  exit 0
fi

say "building Kubernetes $version into $folder"
say "this happens once per version: about 11 CPU minutes when Go's cache is cold, half a minute when it is warm"
building=$folder.building.$$
mkdir "$building"
ticker=
trap '[[ -z $ticker ]] || kill "$ticker" 2>/dev/null || true; rm -rf "$building"' EXIT
(
  # The last sleep outlives the build: it must hold neither the lock nor the pipe of whoever reads our
  # output, who would wait for it.
  exec 9>&- >/dev/null
  while sleep 30 2>/dev/null && kill -0 $$ 2>/dev/null; do say "still building after $((SECONDS / 60)) min $((SECONDS % 60)) s (expect 6 to 12 min cold on two cores)"; done
) &
ticker=$!

version_flags=()
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
  version_flags+=("-X $package.gitVersion=$version" "-X $package.gitMajor=$major" "-X $package.gitMinor=$minor" "-X $package.gitTreeState=clean")
done
(
  exec 9>&-
  cd "$here"
  # -mod=readonly: go.mod and go.sum are the pin; a build that would change them is an error.
  CGO_ENABLED=0 GOFLAGS= GOWORK=off go build -mod=readonly -trimpath -buildvcs=false \
    -ldflags "-s -w ${version_flags[*]}" -o "$building/controlplane" . >&2
)
for program in kube-apiserver etcd kube-controller-manager kubectl; do
  ln -s controlplane "$building/$program"
done
# Renamed whole, so that a killed build never looks like a finished one.
rm -rf "$folder"
mv "$building" "$folder"
say "built in $((SECONDS / 60)) min $((SECONDS % 60)) s: $(du -h "$binary" | cut -f1)"
echo "$binary"
