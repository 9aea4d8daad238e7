#!/usr/bin/env bash
# Runs the conformance suite: boto3 against our fake AWS and against moto, each test on both.
# Makes its virtual environment once per requirements.txt in the cache folder, starts both servers on free
# ports of loopback, and ends exactly those two. Arguments go to pytest; FAKE_AWS names a built fake-aws.
set -euo pipefail
cd "$(dirname "$0")"

cache=${ROLLCALL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/rollcall}
hash=$(sha256sum requirements.txt | cut -c1-12)
venv=$cache/venv-$hash
if [ ! -e "$venv/.complete" ]; then
  echo "making the virtual environment $venv" >&2
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement requirements.txt
  touch "$venv/.complete"
fi

if [ -z "${FAKE_AWS:-}" ]; then
  cargo build --quiet --package rollcall-fakes --bin fake-aws
  FAKE_AWS=${CARGO_TARGET_DIR:-../../target}/debug/fake-aws
fi

work=$(mktemp -d)
pids=()
finish() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap finish EXIT

# Waits up to 60 s for a line with an URL in a server's output, and prints the URL.
url_in() {
  for _ in $(seq 300); do
    if url=$(grep -om1 'http://127\.0\.0\.1:[0-9]*' "$1"); then echo "$url"; return; fi
    sleep 0.2
  done
  echo "no URL in the server's output:" >&2
  cat "$1" >&2
  return 1
}

"$venv/bin/python" seed.py > "$work/seed.json"
"$FAKE_AWS" --seed-file "$work/seed.json" > "$work/fake.log" 2>&1 &
pids+=($!)
"$venv/bin/moto_server" -H 127.0.0.1 -p 0 > "$work/moto.log" 2>&1 &
pids+=($!)

FAKE_URL=$(url_in "$work/fake.log")
MOTO_URL=$(url_in "$work/moto.log")
export FAKE_URL MOTO_URL PYTHONDONTWRITEBYTECODE=1 AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
"$venv/bin/python" -m pytest -p no:cacheprovider --quiet "$@"
