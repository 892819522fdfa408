"""Nothing breaks the reading: every file of a folder, cut at random places, random bytes flipped.

Each case gives a series, or an error of one line. Anything else counts against it: another
exception, more than 10 s for a MB, more than 500 MB of memory, a crash. Cases run in child
processes, some hundred a batch; what kills one is told with its seed.

    python benchmarks/robustness.py DIR [--cases 10000] [--seed 0] [--only SUFFIX ...]
        [--plain BYTES]

A flipped byte of a compressed file damages the compression and little else: --plain takes the first
bytes of what is inside, and damages these. Seconds are those of the processor.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from traffic_siamese.errors import TrafficSiameseError
from traffic_siamese.logs.reading import read_logs

SECONDS_PER_MB = 10.0
PEAK_MB = 500
MAX_FLIPS = 20
BATCH_CASES = 500
TEXT = b"0123456789+-.,;:eEx \t\n\"'"
CLEAR = Path("/proc/self/clear_refs")
SKIPPED = {".md", ".txt", ""}


@dataclass
class Tally:
    """What came of the cases of some files."""

    outcomes: Counter[str] = field(default_factory=Counter)
    slowest_s_per_mb: float = 0.0
    peak_mb: float = 0.0
    faults: list[str] = field(default_factory=list)

    def add(self, name: str, seed: int, case: dict[str, Any]) -> None:
        """Take the outcome of one case."""
        outcome, speed = case["outcome"], case["seconds"] / max(case["bytes"] / 1e6, 1.0)
        self.slowest_s_per_mb = max(self.slowest_s_per_mb, speed)
        self.peak_mb = max(self.peak_mb, case["peak_mb"])
        reasons = [case["text"]] if outcome == "other" else []
        reasons += [f"{speed:.1f} s per MB"] if speed > SECONDS_PER_MB else []
        reasons += [f"{case['peak_mb']:.0f} MB"] if case["peak_mb"] > PEAK_MB else []
        self.outcomes["other" if reasons else outcome] += 1
        self.faults += [f"{name} seed {seed}: {reason}" for reason in reasons]


def damage(data: bytes, seed: int, *, is_text: bool = False) -> bytes:
    """Flip some bytes of a file, cut it somewhere, or both; the head is hit more often.

    Text gets other characters, in three of four cases: bytes that are none make it no text at all.
    """
    dice = random.Random(seed)
    out = bytearray(data)
    how = dice.randrange(4)
    characters = TEXT if is_text and seed % 4 else b""
    for _ in range(dice.randint(1, MAX_FLIPS) if how else 0):
        reach = len(out) if dice.random() < 0.7 else min(len(out), 200)
        flipped = dice.choice((0, 255, 128, dice.randrange(256)))
        out[dice.randrange(reach)] = dice.choice(characters) if characters else flipped
    return bytes(out[: dice.randrange(1, len(out) + 1)] if how < 2 else out)


def contents(path: Path, n_plain: int) -> bytes:
    """Return a file's bytes; or the first of what is inside, if that is asked for."""
    if not n_plain:
        return path.read_bytes()
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rb") as file:
        return bytes(file.read(n_plain))


def read_case(path: Path) -> tuple[str, str]:
    """Read one file; return the outcome and the error's text."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            read_logs(path)
    except TrafficSiameseError as error:
        text = str(error)
        return ("error", text) if "\n" not in text else ("other", "error of several lines")
    except Exception as error:
        return "other", f"{type(error).__name__}: {error}"
    return "series", ""


def reset_peak() -> None:
    """Begin to measure peak memory anew, where the system can."""
    if CLEAR.exists():
        CLEAR.write_text("5")


def peak_mb() -> float:
    """Return the most memory held since the last reset."""
    if not CLEAR.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def run_batch() -> None:
    """Read the cases named on standard input; one line of JSON for each."""
    with tempfile.TemporaryDirectory() as folder:
        work = json.load(sys.stdin)
        n_plain = work["plain"]
        for source, seed in work["cases"]:
            name = Path(source).name
            path = Path(folder) / (name.removesuffix(".gz") if n_plain else name)
            path.write_bytes(damage(contents(Path(source), n_plain), seed, is_text=bool(n_plain)))
            reset_peak()
            began = time.process_time()
            outcome, text = read_case(path)
            case = {
                "outcome": outcome,
                "text": text[:300],
                "seconds": time.process_time() - began,
                "bytes": path.stat().st_size,
                "peak_mb": peak_mb(),
            }
            path.unlink()
            sys.stdout.write(json.dumps(case) + "\n")
            sys.stdout.flush()


def spawn_batch(cases: list[tuple[Path, int]], tallies: dict[Path, Tally], n_plain: int = 0) -> int:
    """Run a batch in a child; return how many cases came to an end, one that killed it included."""
    command = [sys.executable, __file__, "--batch"]
    size_mb = sum(max(path.stat().st_size / 1e6, 1.0) for path, _ in cases)
    size_mb = max(size_mb, n_plain / 1e6 * len(cases))
    work = json.dumps({"plain": n_plain, "cases": [(str(path), seed) for path, seed in cases]})
    try:
        done = subprocess.run(
            command,
            input=work,
            capture_output=True,
            text=True,
            timeout=60 + SECONDS_PER_MB * size_mb,
        )
        lines, ending = done.stdout.splitlines(), done.stderr[-200:] or f"exit {done.returncode}"
    except subprocess.TimeoutExpired as stopped:
        lines, ending = bytes(stopped.stdout or b"").decode().splitlines(), "hangs"
    for (path, seed), line in zip(cases, lines, strict=False):
        tallies[path.parent].add(path.name, seed, json.loads(line))
    if len(lines) == len(cases):
        return len(cases)
    path, seed = cases[len(lines)]
    tallies[path.parent].outcomes["other"] += 1
    tallies[path.parent].faults.append(f"{path.name} seed {seed}: died or hung: {ending}")
    return len(lines) + 1


def find_files(folder: Path, only: list[str] | None) -> list[Path]:
    """Return the logs below a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if only:
        return [path for path in files if path.name.endswith(tuple(only))]
    return [path for path in files if path.suffix.lower() not in SKIPPED and path.stat().st_size]


def print_row(name: str, n_files: int, tally: Tally) -> None:
    """Print one row of the table."""
    counts = [tally.outcomes[key] for key in ("series", "error", "other")]
    total = sum(counts)
    cells = [name, n_files, total, *counts]
    cells += [f"{tally.slowest_s_per_mb:.2f}", f"{tally.peak_mb:.0f}"]
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def main() -> None:
    """Spread the cases over the files, print a table by folder, exit 1 where anything broke."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", metavar="SUFFIX", help="files that end so")
    parser.add_argument("--plain", type=int, default=0, metavar="BYTES", help="of what is inside")
    options = parser.parse_args()
    files = find_files(options.folder, options.only)
    if not files:
        raise SystemExit(f"{options.folder}: no logs")
    cases = [(files[n % len(files)], options.seed + n) for n in range(options.cases)]
    tallies = {path.parent: Tally() for path in files}
    while cases:
        cases = cases[spawn_batch(cases[:BATCH_CASES], tallies, options.plain) :]
        print(f"\r{len(cases)} cases left ", end="", file=sys.stderr, flush=True)
    print("| folder | files | cases | series | errors | anything else | slowest s/MB | peak MB |")
    print("|---|---|---|---|---|---|---|---|")
    for folder, tally in tallies.items():
        name = str(folder.relative_to(options.folder))
        print_row(name, sum(path.parent == folder for path in files), tally)
    faults = [fault for tally in tallies.values() for fault in tally.faults]
    for fault in faults[:50]:
        print(fault, file=sys.stderr)
    raise SystemExit(1 if faults else 0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--batch"]:
        run_batch()
    else:
        main()
