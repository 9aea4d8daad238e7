#!/usr/bin/env bash
# Writes go.mod and go.sum anew for another Kubernetes version: ./upgrade.sh 1.38.0
# Kubernetes points its own staging modules at folders that its module zip does not have, and a
# dependency's replaces are ignored; so each is repeated here with the tag it is published under
# (Kubernetes 1.X.Y is staging 0.X.Y). etcd follows from Kubernetes' own requirement.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

[[ ${1:-} =~ ^1\.([0-9]+\.[0-9]+)$ ]] || {
  echo "usage: $0 1.MINOR.PATCH" >&2
  exit 2
}
staging=v0.${BASH_REMATCH[1]}
upstream=$(go mod download -json "k8s.io/kubernetes@v$1" | sed -n 's/.*"GoMod": "\(.*\)".*/\1/p')
module=$(go list -m)
{
  printf 'module %s\n\n%s\n\nrequire k8s.io/kubernetes v%s\n\nreplace (\n' "$module" "$(grep '^go ' "$upstream")" "$1"
  sed -nE "s#^[[:space:]]*(k8s.io/[a-z0-9-]+) => \./staging.*#\t\1 => \1 $staging#p" "$upstream"
  echo ')'
} >go.mod.new
mv go.mod.new go.mod
rm -f go.sum
go mod tidy
grep -E '^\s*(k8s.io/kubernetes|go.etcd.io/etcd/server/v3) ' go.mod
