#!/usr/bin/env python3
"""`make fuzz`: every parser of foreign formats under libFuzzer, one line each.

Builds the bodies of this folder instrumented, on stable Rust, and runs each until it had so many executions or its time is up,
from its seeds and from what it found earlier (ROLLCALL_CACHE/fuzz/found). A panic, a broken law, an input that takes ten
seconds or a gigabyte fails the run; the input is kept, and belongs into crashers/TARGET beside the fix. It must never call a
target well that had no execution, nor one whose counters do not count.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("ROLLCALL_CACHE") or Path.home() / ".cache" / "rollcall") / "fuzz"
# The selection of `make test`, so that what is compiled there is not compiled again.
BUILD = ["cargo", "test", "--workspace", "--features", "rollcall/test-clock,rollcall-fuzz/libfuzzer",
         "--test", "libfuzzer", "--no-run", "--message-format=json-render-diagnostics"]
# One input of some kilobytes takes microseconds. A second is a fault of ours; ten are one on the busiest machine.
TIMEOUT_SECONDS = 10
# Ten times what any body was seen to take with all of libFuzzer's own (89 MB).
RSS_LIMIT_MB = 1_024


@dataclass(frozen=True)
class Told:
    target: str
    executions: int
    seconds: float
    edges: tuple[int, int]
    megabytes: int
    wrong: str
    log: str


def build() -> str:
    environment = os.environ | {"RUSTC_WORKSPACE_WRAPPER": str(HERE / "instrumented-rustc.sh"), "CARGO_INCREMENTAL": "0"}
    cargo = subprocess.run(BUILD, cwd=HERE, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if cargo.returncode != 0:
        sys.exit(cargo.returncode)
    messages = [json.loads(line) for line in cargo.stdout.splitlines()]
    programs = [m["executable"] for m in messages if m["reason"] == "compiler-artifact" and m["executable"]]
    if len(programs) != 1:
        sys.exit(f"fuzz: expected one program, cargo built {programs}")
    return programs[0]


def fuzz(program: str, target: str, wanted: argparse.Namespace) -> Told:
    """Runs one target to its end."""
    began = time.monotonic()
    kept = CACHE / "broke" / f"{target}-"
    kept.parent.mkdir(parents=True, exist_ok=True)
    folders = [str(HERE / kind / target) for kind in ("seeds", "crashers") if (HERE / kind / target).is_dir()]
    flags = [f"-runs={wanted.runs}", f"-max_total_time={wanted.seconds}", f"-timeout={TIMEOUT_SECONDS}",
             f"-rss_limit_mb={RSS_LIMIT_MB}", f"-artifact_prefix={kept}", f"-seed={wanted.seed}", "-print_final_stats=1"]
    words = HERE / "words" / f"{target.split('_')[0]}.txt"
    if words.exists():
        flags.append(f"-dict={words}")
    with tempfile.TemporaryDirectory() as afresh:
        found = Path(afresh) if wanted.afresh else CACHE / "found" / target
        found.mkdir(parents=True, exist_ok=True)
        ran = subprocess.run([program, *flags, str(found), *folders], env=os.environ | {"ROLLCALL_FUZZ_TARGET": target},
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    log = ran.stdout.decode(errors="replace")
    executions, megabytes = (statistic(name, log) for name in ("number_of_executed_units", "peak_rss_mb"))
    edges = [int(n) for n in re.findall(r"^#\d+\s+[A-Za-z]+\s+cov: (\d+)", log, re.MULTILINE)] or [0]
    wrong = verdict(ran.returncode, executions, max(edges))
    return Told(target, executions, time.monotonic() - began, (edges[0], max(edges)), megabytes, wrong, log)


def statistic(name: str, log: str) -> int:
    return int((re.findall(rf"stat::{name}:\s*(\d+)", log) or [0])[-1])


def verdict(code: int, executions: int, edges: int) -> str:
    if code != 0:
        return f"FAILED (exit {code})"
    if executions == 0:
        return "FAILED: no execution"
    return "FAILED: nothing counts edges" if edges == 0 else ""


def line(told: Told, wanted: int) -> str:
    fewer = "" if told.executions >= wanted else " (time was up)"
    rate = told.executions / max(told.seconds, 0.001)
    first, last = told.edges
    return (f"{told.target:<28} {told.executions:>10,} executions {rate:>9,.0f}/s   edges {first:>5,} -> {last:>6,} {told.megabytes:>4} MB   "
            f"{told.wrong or 'ok' + fewer}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Fuzzes every parser of foreign formats.")
    parser.add_argument("--runs", type=int, default=1_000_000, help="executions of each target (1,000,000)")
    parser.add_argument("--seconds", type=int, default=600, help="at most so many seconds each (600)")
    parser.add_argument("--target", default="", help="only this one")
    parser.add_argument("--seed", type=int, default=0, help="of libFuzzer; 0: another one each time")
    parser.add_argument("--afresh", action="store_true", help="forget what earlier runs found, and keep nothing")
    return parser.parse_args()


def main() -> int:
    wanted = arguments()
    targets = sorted(folder.name for folder in (HERE / "seeds").iterdir())
    if wanted.target:
        if wanted.target not in targets:
            sys.exit(f"fuzz: --target: expected one of {', '.join(targets)}, found {wanted.target!r}")
        targets = [wanted.target]
    program = build()
    began, failed = time.monotonic(), []
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for told in pool.map(lambda target: fuzz(program, target, wanted), targets):
            print(line(told, wanted.runs), flush=True)
            if told.wrong:
                failed.append(told.target)
                print(told.log[-6_000:])
                print(f"fuzz: the input is in {CACHE}/broke; put it into e2e/fuzz/crashers/{told.target}/ beside the fix\n")
    print(f"{len(targets)} parsers in {time.monotonic() - began:.0f} s" + (f"; failed: {', '.join(failed)}" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
