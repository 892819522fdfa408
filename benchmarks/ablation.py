"""What each ingredient of the recipe brings: train without it, and ask what the benchmark asks.

One row per ingredient, trained with it taken out or swapped, on folds that leave a network and
half of the faults out. All rows get the same folds, seeds, examples and questions, so that the
table of differences compares like with like.

    python benchmarks/ablation.py LOGS_DIR --labels labels.csv --results ablation.jsonl
        [--rows NAME ...] [--folds 0 1 2 3] [--seeds 0 1] [--steps N] [--jobs 2]

Every result is appended to --results at once: a run that is broken off goes on where it stopped,
and a run with more seeds or rows adds to what is there. Start a new file when the code changed.
--list names the rows; --tables prints what is there and trains nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import oneshot_report as report
from ablation_recipes import FULL, RECIPES, recipe
from ablation_tasks import Result, Source, Task, carry_out_all


def read_results(path: Path) -> list[Result]:
    """Read what earlier runs found; a last line that was broken off is left out."""
    if not path.exists():
        return []
    *whole, rest = path.read_text(encoding="utf-8").split("\n")
    if rest:  # a run was ended while it wrote
        path.write_text("".join(f"{line}\n" for line in whole), encoding="utf-8")
    return [json.loads(line) for line in whole if line]


def append_result(path: Path, result: Result) -> None:
    """Keep one result, on the disk before the next is begun."""
    with path.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(result) + "\n")
        stream.flush()
        os.fsync(stream.fileno())


def is_of(result: Result, task: Task) -> bool:
    """Whether a result is that of a task."""
    return all(result[name] == value for name, value in asdict(task).items())


def tables(results: Sequence[Result], *, draws: int, steps: int | None) -> str:
    """Return the tables of all rows: values, differences to one network, and the cube's.

    Parameters
    ----------
    results : sequence of dict
    draws : int
    steps : int or None
        Results of other runs than of so many draws and steps are left out.
    """
    mine = [one for one in results if (one["draws"], one["steps"]) == (draws, steps)]
    by_row = {row.name: [one for one in mine if one["row"] == row.name] for row in RECIPES}
    by_row = {name: found for name, found in by_row.items() if found}
    if not by_row:
        return "Nothing was measured yet."
    seconds = ", ".join(
        f"{name} {np.mean([one['seconds'] for one in found]):.0f}" for name, found in by_row.items()
    )
    sections = {
        "Mean (95 % interval)": _values(by_row, "values"),
        f"Difference to {FULL}, same folds, seeds and draws": _differences(by_row, "values"),
        "First three axes alone": _values(by_row, "cube"),
        f"First three axes alone: difference to {FULL}": _differences(by_row, "cube"),
        "Runs": ", ".join(f"{name} {len(found)}" for name, found in by_row.items()),
        "Seconds a run": seconds,
    }
    return "\n\n".join(f"### {title}\n\n{text}" for title, text in sections.items())


def _values(by_row: dict[str, list[Result]], kind: str) -> str:
    runs = {name: [one[kind] for one in found if one[kind]] for name, found in by_row.items()}
    return report.table({name: one for name, one in runs.items() if one}, report.MAIN)


def _differences(by_row: dict[str, list[Result]], kind: str) -> str:
    """Return a table of differences, draw by draw, over the runs that one network has too."""
    full = {(one["fold"], one["seed"]): one[kind] for one in by_row.get(FULL, [])}
    runs = {
        name: [
            paired_difference(one[kind], full[one["fold"], one["seed"]])
            for one in found
            if one[kind] and (one["fold"], one["seed"]) in full
        ]
        for name, found in by_row.items()
        if name != FULL
    }
    return report.table({name: one for name, one in runs.items() if one}, report.MAIN)


def paired_difference(
    values: dict[str, list[float]], full: dict[str, list[float]]
) -> dict[str, list[float]]:
    """Return value minus value of one network, measure by measure and draw by draw."""
    return {
        name: (np.array(values[name]) - np.array(full[name])).tolist()
        for name in report.MAIN.values()
        if name in values and name in full
    }


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("logs_dir", type=Path, nargs="?")
    parser.add_argument("--labels", type=Path)
    parser.add_argument("--results", type=Path, help="JSON lines, one a row, fold and seed")
    parser.add_argument("--rows", nargs="+", default=[], help="names of rows; default: all")
    parser.add_argument("--folds", type=int, nargs="+", help="their numbers; default: all")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--draws", type=int, default=20, help="random examples per fold")
    parser.add_argument("--steps", type=int, help="training steps; default: the package's")
    parser.add_argument("--jobs", type=int, default=2, help="processes, a thread each")
    parser.add_argument(
        "--sides", default="A,C:B", help="networks seen from one side; default %(default)s"
    )
    parser.add_argument(
        "--baseline",
        default="normal-1.",
        help="in the names of captures that a network's normal is learned from",
    )
    parser.add_argument("--list", action="store_true", help="name the rows, and end")
    parser.add_argument("--tables", action="store_true", help="print what --results holds, and end")
    args = parser.parse_args(argv)
    if not args.list and not args.results:
        parser.error("--results names the file that results are kept in")
    if not args.list and not args.tables and not (args.logs_dir and args.labels):
        parser.error("LOGS_DIR and --labels say what to train on")
    try:
        args.rows = [recipe(name).name for name in args.rows or [one.name for one in RECIPES]]
    except ValueError as error:
        parser.error(str(error))
    return args


def plan(args: argparse.Namespace) -> tuple[list[Task], Source]:
    """Return all tasks, a whole fold after the other, and where their captures are."""
    sides = tuple(tuple(side.split(",")) for side in args.sides.split(":"))
    source = Source(args.logs_dir, args.labels, sides, args.baseline)
    folds = source.folds(source.read())  # here, so that the processes find the series kept
    numbers = range(len(folds)) if args.folds is None else args.folds
    if not set(numbers) <= set(range(len(folds))):
        raise SystemExit(f"--folds names {args.folds}, expected numbers below {len(folds)}")
    tasks = [
        Task(row, folds[number].name, seed, args.draws, args.steps)
        for seed in args.seeds
        for number in numbers
        for row in args.rows
    ]
    return tasks, source


def run(args: argparse.Namespace) -> int:
    """Carry out what is not done yet; return how many tasks failed."""
    tasks, source = plan(args)
    done = read_results(args.results)
    todo = [task for task in tasks if not any(is_of(result, task) for result in done)]
    say(f"{len(tasks)} runs, {len(tasks) - len(todo)} of them done")
    if not todo:
        return 0
    started_s, n_failed = time.perf_counter(), 0
    for number, (task, found) in enumerate(carry_out_all(todo, source, jobs=args.jobs), 1):
        left_s = (time.perf_counter() - started_s) / number * (len(todo) - number)
        where = f"{number}/{len(todo)} {task.row}, {task.fold}, seed {task.seed}"
        if isinstance(found, Exception):
            n_failed += 1
            say(f"{where}: failed: {type(found).__name__}: {found}")
            continue
        append_result(args.results, found)
        say(f"{where}: {brief(found['values'])} ({left_s / 60:.0f} min left)")
    return n_failed


def brief(values: dict[str, list[float]]) -> str:
    """Return the main figures of one run."""
    shown = {column: values.get(name) for column, name in report.MAIN.items()}
    return ", ".join(f"{column} {np.mean(found):.3f}" for column, found in shown.items() if found)


def say(text: str) -> None:
    """Tell progress."""
    print(text, file=sys.stderr, flush=True)


def main(argv: Sequence[str] | None = None) -> None:
    """Run what is asked for, and print the tables."""
    args = parse(argv)
    if args.list:
        print("\n".join(one.name for one in RECIPES))
        return
    try:
        n_failed = 0 if args.tables else run(args)
    except KeyboardInterrupt:
        raise SystemExit("broken off; the same command goes on from here") from None
    print(tables(read_results(args.results), draws=args.draws, steps=args.steps))
    if n_failed:
        raise SystemExit(f"{n_failed} runs failed; run the same command to try them again")


if __name__ == "__main__":
    main()
