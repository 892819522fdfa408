"""The three jobs, on the captures in data/: train, classify another network, teach a new fault.

Run it with ``make demo``. It calls the command line, as a user would, and then compares the
verdicts with what was really done to the traffic (data/test.csv).
"""

from __future__ import annotations

import argparse
import csv
import os
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NEW_FAULT = "route_misconfig"
EXAMPLE = f"A/{NEW_FAULT}-1.pcap.zst"
SAME_FAULT_ELSEWHERE = f"C/{NEW_FAULT}-1.pcap.zst"
WINDOW_S = 32
CAPTURES_OF_C = ("C/normal-1.pcap.zst", "C/blocked-1.pcap.zst", "C/capacity-1.pcap.zst")

Row = dict[str, str]


def main() -> None:
    """Run the demo from end to end."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "demo", help="where to write")
    parser.add_argument("--epochs", type=int, help="train for no longer than this")
    options = parser.parse_args()
    out = options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    os.chdir(ROOT)
    started = time.monotonic()
    Demo(Path("data"), out.relative_to(ROOT) if out.is_relative_to(ROOT) else out).run(
        options.epochs
    )
    print(f"\nDone in {time.monotonic() - started:.0f} s.")


class Demo:
    """One run: where the captures are, where the results go, what is true."""

    def __init__(self, data: Path, out: Path) -> None:
        self.data, self.out, self.model = data, out, out / "model"
        self.truth = read_rows(data / "test.csv")

    def run(self, epochs: int | None) -> None:
        """Do the three jobs, and write the pages; an earlier run's model would know the answer."""
        if (self.model / "bundle.json").exists():
            shutil.rmtree(self.model)
        title("1. Train on network A; route_misconfig is kept out")
        limit = [] if epochs is None else ["--epochs", str(epochs)]
        self.command("train", self.data, "--labels", self.data / "train.csv", *limit)

        title("2. Classify network C: another transport, never trained on")
        self.command("baseline", self.data / CAPTURES_OF_C[0], "--network", "C")
        self.classify("known", *CAPTURES_OF_C)
        print("\nA fault that the model has not been taught:")
        self.classify("before", SAME_FAULT_ELSEWHERE, truth=self.not_yet_taught())

        title("3. Teach it route_misconfig with one example from A; nothing is trained")
        fault = next(
            row for row in self.truth if (row["capture"], row["label"]) == (EXAMPLE, NEW_FAULT)
        )
        times = ["--start", fault["start"], "--end", fault["end"], "--network", "A"]
        self.command("faults", "add", NEW_FAULT, self.data / EXAMPLE, *times)
        print("\nThe same fault on C:")
        self.classify("after", SAME_FAULT_ELSEWHERE)
        print("\nThe other captures again, now that there is one label more:")
        self.classify("again", *CAPTURES_OF_C, in_detail=False)

        title("The film of the training, and the page of the incidents")
        film, page = self.out / "separation.html", self.out / "incidents.html"
        self.command("film", self.model, "-o", film, model=False)
        table = self.out / "incidents.csv"
        logs = (self.data / "C", "--network", "C")
        self.command("classify", *logs, "--report", page, "--incidents", table, "--quiet")
        print(f"Open {film} and {page} in a browser.")

    def command(self, *arguments: str | Path, model: bool = True) -> None:
        """Run one command of the command line, and show it."""
        words = [str(word) for word in (*arguments, *(("--model", self.model) if model else ()))]
        print("$ traffic-siamese " + " ".join(words), flush=True)
        done = subprocess.run([sys.executable, "-m", "traffic_siamese", *words], check=False)
        if done.returncode not in (0, 3):
            sys.exit(f"The command failed with exit status {done.returncode}.")

    def not_yet_taught(self) -> list[Row]:
        """Return what is true as far as the model can know it: a new fault is unknown."""
        return [
            row | ({"label": "unknown"} if row["label"] == NEW_FAULT else {}) for row in self.truth
        ]

    def classify(
        self, name: str, *captures: str, truth: list[Row] | None = None, in_detail: bool = True
    ) -> None:
        """Classify captures of C, and say how right the verdicts are."""
        truth = truth or self.truth
        files = [self.out / f"{name}-{what}.csv" for what in ("verdicts", "incidents")]
        logs = [self.data / capture for capture in captures]
        self.command(
            "classify", *logs, "--network", "C", "-o", files[0], "--incidents", files[1], "--quiet"
        )
        verdicts, incidents = read_rows(files[0]), read_rows(files[1])
        for capture in captures if in_detail else ():
            mine = [row for row in incidents if row["capture"].endswith(capture)]
            print_capture(capture, [row for row in truth if row["capture"] == capture], mine)
        print_accuracy(verdicts, truth)


def title(text: str) -> None:
    """Print a heading."""
    print(f"\n== {text}")


def read_rows(path: Path) -> list[Row]:
    """Read a table with a heading line."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def moment(text: str) -> datetime:
    """Read an RFC 3339 time."""
    return datetime.fromisoformat(text)


def seconds(row: Row) -> float:
    """Return how long a row lasts."""
    return (moment(row["end"]) - moment(row["start"])).total_seconds()


def span(row: Row) -> str:
    """Write a row's start and end as times of day."""
    return f"{moment(row['start']):%H:%M:%S}–{moment(row['end']):%H:%M:%S}"


def is_right(fault: Row | None, incidents: list[Row]) -> bool:
    """Tell whether the longest incident is the fault, or there is neither."""
    if fault is None or not incidents:
        return fault is None and not incidents
    longest = max(incidents, key=seconds)
    late_s = [
        abs((moment(longest[side]) - moment(fault[side])).total_seconds())
        for side in ("start", "end")
    ]
    return longest["label"] == fault["label"] and max(late_s) <= WINDOW_S


def print_capture(capture: str, truth: list[Row], incidents: list[Row]) -> None:
    """Print what was done in a capture, what was found, and whether the two agree.

    Right is: the longest incident bears the fault's name, and starts and ends within a window's
    length of it; in normal traffic: no incident at all.
    """
    fault = next((row for row in truth if row["label"] != "normal"), None)
    done = f"{span(fault)} {fault['label']}" if fault else "nothing"
    print(f"{capture}: {'right' if is_right(fault, incidents) else 'WRONG'}")
    print(f"    expected    {done}")
    found = [f"{span(row)} {row['label']} {float(row['confidence']):.2f}" for row in incidents]
    for i, text in enumerate(found or ["nothing"]):
        print(f"    {'found' if not i else '':10}  {text}")


def print_accuracy(verdicts: list[Row], truth: list[Row]) -> None:
    """Print the share of right windows for each label, and the mean of the shares.

    A window counts where it lies wholly in one labelled stretch of its capture.
    """
    hits: dict[str, list[bool]] = defaultdict(list)
    for row in truth:
        for verdict in verdicts:
            inside = moment(row["start"]) <= moment(verdict["start"]) and moment(
                verdict["end"]
            ) <= moment(row["end"])
            if inside and verdict["capture"].endswith(row["capture"]):
                hits[row["label"]].append(verdict["label"] == row["label"])
    shares = {label: sum(right) / len(right) for label, right in hits.items()}
    each = ", ".join(
        f"{label} {share:.0%} of {len(hits[label])}" for label, share in shares.items()
    )
    balanced = sum(shares.values()) / len(shares)
    print(f"  windows right: {each}; balanced {balanced:.0%}")


if __name__ == "__main__":
    main()
