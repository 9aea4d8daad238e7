#!/usr/bin/env python3
"""Builds and runs every test of the workspace: the short suites one by one, then the stories beside each other.

`cargo test` runs one suite after the other, and the stories wait for a world to turn more than they work. Arguments
are cargo's (packages, features). A suite that fails does not keep the others from running. It must never pass over a
suite in silence, and never leave a process behind: each suite has a process group of its own, which ends with it.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock, Thread

# The stories, the longest first: (package, target). Their output is shown when they end, whole.
BESIDE_EACH_OTHER = [
    ("rollcall-e2e", "first_roll_call"),
    ("rollcall-demo", "demo"),
    ("rollcall-e2e", "operator_shell"),
    ("rollcall-e2e", "readme"),
    ("rollcall-fakes", "mackerel_agent"),
    ("rollcall-e2e", "chart"),
]
# Two cores: three at once had a load of 23, and stories that are told in an accelerated world ran out of time.
AT_ONCE = int(os.environ.get("ROLLCALL_SUITES_AT_ONCE", "2"))
# Stories wait more than they work: four at once keep two cores busy.
THREADS = os.environ.get("RUST_TEST_THREADS", "4")
# No suite takes longer, however busy the machine; cargo itself would wait for ever.
LIMIT = 40 * 60
TELL_EVERY = 30

stopping = Event()
running: dict[int, str] = {}
lock = Lock()


@dataclass(frozen=True)
class Suite:
    package: str
    target: str
    kind: str
    executable: str
    folder: str

    @property
    def name(self) -> str:
        return f"{self.package} {self.target}" + ("" if self.kind == "test" else f" ({self.kind})")


def build(arguments: list[str]) -> tuple[list[Suite], dict[str, str]]:
    """Every test executable, and every program by its name."""
    command = ["cargo", "test", *arguments, "--no-run", "--message-format=json-render-diagnostics"]
    cargo = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if cargo.returncode != 0:
        sys.exit(cargo.returncode)
    suites, programs = [], {}
    for message in map(json.loads, cargo.stdout.splitlines()):
        if message["reason"] != "compiler-artifact" or not message["executable"]:
            continue
        target, folder = message["target"], str(Path(message["manifest_path"]).parent)
        if message["profile"]["test"]:
            package = package_name(message["package_id"])
            suites.append(Suite(package, target["name"], target["kind"][0], message["executable"], folder))
        elif target["kind"] == ["bin"]:
            programs[target["name"]] = message["executable"]
    return suites, programs


def package_name(package_id: str) -> str:
    """`path+file:///…/engine#rollcall-engine@0.1.0`, or `path+file:///…/rollcall-x#0.1.0`."""
    place, _, rest = package_id.partition("#")
    return rest.split("@")[0] if "@" in rest else place.rsplit("/", 1)[-1]


def run(suite: Suite, environment: dict[str, str], output) -> tuple[str, float]:
    """What is wrong with the suite, or nothing; and its seconds."""
    began = time.monotonic()
    if stopping.is_set():
        return "not run", 0.0
    environment = environment | {"CARGO_MANIFEST_DIR": suite.folder}
    child = subprocess.Popen(
        [suite.executable], cwd=suite.folder, env=environment, stdin=subprocess.DEVNULL, stdout=output,
        stderr=subprocess.STDOUT if output else None, start_new_session=True,
    )
    with lock:
        running[child.pid] = suite.name
    try:
        code = child.wait(LIMIT)
        wrong = "" if code == 0 else f"exit {code}"
    except subprocess.TimeoutExpired:
        wrong = f"not over after {LIMIT // 60} minutes"
    finally:
        end_group(child.pid)
        child.wait()
        with lock:
            del running[child.pid]
    return wrong, time.monotonic() - began


def end_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass


def stop(number, _frame) -> None:
    """Ctrl-C, or the end of whoever called: the stories get a moment to tidy up after themselves."""
    stopping.set()
    with lock:
        groups = list(running)
    for group in groups:
        try:
            os.killpg(group, signal.SIGTERM)
        except ProcessLookupError:
            pass
    print(f"run_suites: stopped by signal {number}", file=sys.stderr)


def one_by_one(suites: list[Suite], environment: dict[str, str]) -> list[tuple[Suite, str, float]]:
    told = []
    for suite in suites:
        print(f"\n     Running {suite.name}", flush=True)
        told.append((suite, *run(suite, environment, None)))
    return told


def beside_each_other(suites: list[Suite], environment: dict[str, str]) -> list[tuple[Suite, str, float]]:
    if not suites:
        return []
    print("\n     Running, beside each other: " + ", ".join(s.target for s in suites), flush=True)
    began, over, told = time.monotonic(), Event(), []

    def tick() -> None:
        while not over.wait(TELL_EVERY):
            with lock:
                names = ", ".join(name.split()[1] for name in running.values())
            print(f"     … {time.monotonic() - began:.0f} s: {names}", flush=True)

    def to_file(suite: Suite):
        with tempfile.TemporaryFile() as log:
            wrong, seconds = run(suite, environment, log)
            log.seek(0)
            return suite, wrong, seconds, log.read().decode(errors="replace")

    Thread(target=tick, daemon=True).start()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done in as_completed([pool.submit(to_file, suite) for suite in suites]):
            suite, wrong, seconds, log = done.result()
            print(f"\n     Ran {suite.name}\n{log}", flush=True)
            told.append((suite, wrong, seconds))
    over.set()
    return told


def main() -> int:
    arguments = sys.argv[1:]
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    suites, programs = build(arguments)
    by_name = {(s.package, s.target): s for s in suites if s.kind == "test"}
    missing = [name for name in BESIDE_EACH_OTHER if name not in by_name]
    if missing:
        print(f"run_suites: expected the suites {missing}, cargo built none of these names", file=sys.stderr)
        return 2
    stories = [by_name[name] for name in BESIDE_EACH_OTHER]
    environment = os.environ | {"RUST_TEST_THREADS": THREADS, "ROLLCALL_BIN": programs["rollcall"]}
    told = one_by_one([s for s in suites if s not in stories], environment)
    told += beside_each_other(stories, environment)
    print("\n     Running the examples in the docs", flush=True)
    began = time.monotonic()
    documents = 0 if stopping.is_set() else subprocess.run(["cargo", "test", *arguments, "--doc"]).returncode
    print("\n=== suites")
    for suite, wrong, seconds in sorted(told, key=lambda entry: -entry[2]):
        if wrong or seconds >= 2:
            print(f"{suite.name:<46} {seconds:5.0f} s  {wrong}")
    print(f"{'examples in the docs':<46} {time.monotonic() - began:5.0f} s  {documents or ''}")
    failed = [suite.name for suite, wrong, _ in told if wrong]
    if failed or documents or stopping.is_set():
        print(f"\nrun_suites: failed: {', '.join(failed) or 'examples in the docs'}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
