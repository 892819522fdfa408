"""How well faults are recognised: one example each, networks and faults that training never saw.

Every fold leaves a network and half of the faults out of training. Then all methods are asked
about the same windows of that network, with the same examples: faults learned on other networks,
new faults known by one example from this network or from another one of its side, normal traffic,
and whether a fault that nobody showed yet is farther from the library than known ones.

    python benchmarks/one_shot.py LOGS_DIR --labels labels.csv [--sides A,C:B] [--folds 4|all]
        [--draws 20] [--seeds 0 1] [--embedding-dim 48] [--steps N] [--json results.json]
        [--add FILE ...]

Seeds can be run side by side, each with --json; --folds 0 --add FILE ... prints them together.
Peers from aeon (MiniRocket, DTW) run where it is installed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import oneshot_report as report
from oneshot_data import Corpus, Fold, make_folds, read_corpus
from oneshot_encoders import Trained, original_options, product_options, train
from oneshot_incidents import watch
from oneshot_peers import Points, Space, Warped, fold_inputs, peers
from oneshot_protocol import (
    Draw,
    Tally,
    draw_examples,
    library_rows,
    measure,
    query_rows,
    verification,
)

from traffic_siamese.encoder import EncoderOptions

WATCHED_DRAWS = 5
ORIGINAL = "original recipe"


class Bench:
    """All figures so far, by method."""

    def __init__(self, corpus: Corpus) -> None:
        self.corpus = corpus
        self.values: dict[str, list[dict[str, list[float]]]] = {}
        self.confusion: dict[str, dict[str, Counter[tuple[str, str]]]] = {}
        self.seconds: Counter[str] = Counter()

    def judge(
        self,
        name: str,
        fold: Fold,
        space: Space,
        draws: Sequence[Draw],
        *,
        trained: Trained | None = None,
    ) -> None:
        """Measure a method on a fold, and keep the figures."""
        tally = measure(self.corpus, fold, space, draws)
        if isinstance(space, Points):
            for figure, value in verification(self.corpus, fold, space).items():
                tally.add(figure, value)
        if trained is not None:
            watch(self.corpus, fold, trained, draws[:WATCHED_DRAWS], tally)
        self.values.setdefault(name, []).append(tally.values)
        kept = self.confusion.setdefault(name, {})
        for where, counts in tally.confusion.items():
            kept.setdefault(where, Counter()).update(counts)
        say(f"  {name}: {brief(tally)}")


def say(text: str) -> None:
    """Tell progress."""
    print(text, file=sys.stderr, flush=True)


def brief(tally: Tally) -> str:
    """Return the main figures of one method on one fold."""
    found = {column: tally.values.get(name) for column, name in report.MAIN.items()}
    return ", ".join(f"{c} {sum(v) / len(v):.3f}" for c, v in found.items() if v)


def run_peers(bench: Bench, fold: Fold, draws: Sequence[Draw]) -> None:
    """Measure everything that is not an encoder."""
    inputs = fold_inputs(bench.corpus, fold)
    for name, make in peers().items():
        with _Clock(bench, name):
            space = make(inputs)
            if isinstance(space, Warped):
                space.prepare(query_rows(bench.corpus, fold), library_rows(draws))
            bench.judge(name, fold, space, draws)


def run_encoders(
    bench: Bench, fold: Fold, draws: Sequence[Draw], *, seed: int, args: argparse.Namespace
) -> None:
    """Train and measure the package's encoder, one in the cube alone, and the original recipe."""
    dim, steps = args.embedding_dim, args.steps
    ours = {f"this package, {n} axes": n for n in dict.fromkeys((dim, 3))}
    for name, n_axes in ours.items():
        options = product_options(embedding_dim=n_axes, steps=steps, seed=seed)
        with _Clock(bench, name):
            trained = train(bench.corpus, fold, options)
            bench.judge(name, fold, Points(trained.embeddings), draws, trained=trained)
        if n_axes > 3:
            bench.judge(f"first 3 of these {n_axes} axes", fold, Points(trained.cube()), draws)
    with _Clock(bench, ORIGINAL):
        trained = train(bench.corpus, fold, original_options(steps=steps, seed=seed))
        bench.judge(ORIGINAL, fold, Points(trained.embeddings), draws, trained=trained)


class _Clock:
    """Add up the seconds that a method takes."""

    def __init__(self, bench: Bench, name: str) -> None:
        self.bench, self.name = bench, name

    def __enter__(self) -> None:
        self.started_s = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self.bench.seconds[self.name] += time.perf_counter() - self.started_s


def show(bench: Bench) -> str:
    """Return every table as Markdown."""
    encoders = {n: v for n, v in bench.values.items() if "any incident raised" in v[0]}
    first = next(iter(encoders), "")
    timing = ", ".join(f"{name} {seconds:.0f}" for name, seconds in bench.seconds.items())
    sections: list[tuple[str, Callable[[], str]]] = [
        ("Mean (95 % interval)", lambda: report.table(bench.values, report.MAIN)),
        ("Shots", lambda: report.table(bench.values, report.SHOTS)),
        ("Pairs: different against same labels", lambda: report.table(bench.values, report.APART)),
        ("Whole captures, all faults in the library", lambda: report.incidents(encoders)),
        ("Recall per fault", lambda: report.per_fault({n: bench.values[n] for n in encoders})),
        *(
            (f"{first}: {where}, % of windows", lambda c=counts: f"```\n{report.confusion(c)}\n```")
            for where, counts in bench.confusion.get(first, {}).items()
        ),
        ("Seconds", lambda: timing),
    ]
    return "\n\n".join(f"### {title}\n\n{make()}" for title, make in sections)


def write_json(bench: Bench, path: Path, settings: dict[str, object]) -> None:
    """Write every single value."""
    calls = {
        method: {
            where: [[*pair, n] for pair, n in sorted(counts.items())]
            for where, counts in by_where.items()
        }
        for method, by_where in bench.confusion.items()
    }
    found = {
        "settings": settings,
        "values": bench.values,
        "confusion": calls,
        "seconds": dict(bench.seconds),
    }
    path.write_text(json.dumps(found, indent=1), encoding="utf-8")


def add_json(bench: Bench, path: Path) -> None:
    """Add the figures that another run wrote."""
    found = json.loads(path.read_text(encoding="utf-8"))
    for method, values in found["values"].items():
        bench.values.setdefault(method, []).extend(values)
        bench.seconds[method] += found["seconds"].get(method, 0)
    for method, by_where in found["confusion"].items():
        kept = bench.confusion.setdefault(method, {})
        for where, calls in by_where.items():
            kept.setdefault(where, Counter()).update({(a, b): n for a, b, n in calls})


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("logs_dir", type=Path)
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument(
        "--sides", default="A,C:B", help="networks seen from one side; default %(default)s"
    )
    parser.add_argument(
        "--folds", default="4", help="how many, or all: networks without a peer too"
    )
    parser.add_argument("--draws", type=int, default=20, help="random examples per fold")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--embedding-dim", type=int, default=EncoderOptions().embedding_dim)
    parser.add_argument(
        "--steps", type=int, help="training steps per encoder; default: the package's"
    )
    parser.add_argument(
        "--baseline",
        default="normal-1.",
        help="in the names of captures that a network's normal is learned from",
    )
    parser.add_argument("--json", type=Path)
    parser.add_argument(
        "--add", type=Path, nargs="+", default=(), help="what other runs wrote with --json"
    )
    return parser.parse_args(argv)


def choose_folds(corpus: Corpus, args: argparse.Namespace) -> list[Fold]:
    """Return the folds asked for, and say what is left out."""
    sides = [side.split(",") for side in args.sides.split(":")]
    alone = [side[0] for side in sides if len(side) == 1]
    paired = [name for side in sides if len(side) > 1 for name in side]
    if args.folds == "all":
        say(
            f"no other network is seen from the side of {', '.join(alone)}: only new faults with "
            "an example from there are measured on it"
        )
        return make_folds(corpus, sides=sides, left_out=[*paired, *alone])
    return make_folds(corpus, sides=sides, left_out=paired)[: int(args.folds)]


def main(argv: Sequence[str] | None = None) -> None:
    """Run all folds and print the tables."""
    args = parse(argv)
    started_s = time.perf_counter()
    corpus = read_corpus(args.logs_dir, args.labels, baseline_captures=args.baseline)
    bench = Bench(corpus)
    for path in args.add:
        add_json(bench, path)
    settings = {name: str(value) for name, value in vars(args).items()}
    for fold in choose_folds(corpus, args):
        for seed in args.seeds:
            say(f"{fold.name}, seed {seed} ({time.perf_counter() - started_s:.0f} s)")
            draws = draw_examples(corpus, fold, n=args.draws, seed=seed)
            run_peers(bench, fold, draws)
            run_encoders(bench, fold, draws, seed=seed, args=args)
            if args.json:
                write_json(bench, args.json, settings)
    print(show(bench))


if __name__ == "__main__":
    main()
