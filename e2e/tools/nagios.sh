#!/usr/bin/env bash
# Unpacks Debian's Nagios 4, its CGIs and its plugins, unmodified and not installed: they judge our reader of Nagios.
# Progress goes to stderr; the last line on stdout is the folder that holds them. A second call does nothing; two
# calls at once unpack once. Without apt, or when it fails, it says why and exits 1.
set -euo pipefail

packages=(nagios4-core nagios4-common nagios4-cgi monitoring-plugins-basic)
cache="${ROLLCALL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/rollcall}/nagios"

say() { printf 'nagios: %s\n' "$*" >&2; }

# The version that apt would give; a new one gets a folder of its own.
version() {
  apt-cache policy nagios4-core 2>/dev/null | sed -n 's/^ *Candidate: *//p'
}

unpack_all() {
  # Unpacked beside the target and renamed, so that a folder of that name is always whole. Under the lock,
  # other half-unpacked folders can only be those of calls that were killed.
  rm -rf "$cache"/.partial.*
  partial="$(mktemp -d "$cache/.partial.XXXXXX")"
  trap 'rm -rf "$partial"' EXIT
  say "downloading ${packages[*]}"
  (cd "$partial" && apt-get download "${packages[@]}") >&2 || {
    say "apt-get download failed; run apt-get update, or see whether the archive can be reached."
    exit 1
  }
  local package
  for package in "$partial"/*.deb; do
    dpkg -x "$package" "$partial/root"
    rm "$package"
  done
  chmod 755 "$partial" "$partial/root"
  mv -T "$partial/root" "$done_dir"
  say "unpacked in ${SECONDS}s"
}

command -v apt-get >/dev/null && command -v dpkg >/dev/null || {
  say "apt-get and dpkg are not on PATH; Nagios is taken from Debian's packages."
  exit 1
}
mkdir -p "$cache"
exec 9>"$cache/.lock"
flock -n 9 || { say "another call is unpacking; waiting for it"; flock 9; }
candidate="$(version)"
if [[ -z "$candidate" || "$candidate" == "(none)" ]]; then
  # What was unpacked before still serves where apt has lost its lists.
  candidate="$(find "$cache" -mindepth 1 -maxdepth 1 -type d -not -name '.*' -printf '%f\n' | sort -V | tail -n 1)"
fi
[[ -n "$candidate" ]] || {
  say "apt knows no package nagios4-core; run apt-get update, on Debian 12 or later."
  exit 1
}
done_dir="$cache/$candidate"
[[ -d "$done_dir" ]] || unpack_all
printf '%s\n' "$done_dir"
