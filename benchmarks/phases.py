"""Which windows of one marked interval make good examples: inside it, over its start, over its end.

Each fold trains on other networks and on half of the faults. The other half is then taught with
``faults add``, one interval each, from a network seen from the same side, and everything captured
on the network left out is classified, all with the package's own functions and defaults. With
--wide, the intervals are marked too wide by so many seconds at either end, as people mark them.

    python benchmarks/phases.py LOGS_DIR --labels labels.csv [--sides A,C:B] [--left-out C]
        [--wide 0 40] [--epochs N] [--seed 0]
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from traffic_siamese import add_fault
from traffic_siamese.classification import LogResult, classify_log
from traffic_siamese.evaluation.corpus import Corpus, read_corpus
from traffic_siamese.evaluation.folds import Fold, make_folds, training_logs
from traffic_siamese.fit_options import FitOptions
from traffic_siamese.fitting import fit
from traffic_siamese.model import load_model
from traffic_siamese.oneshot.rows import StoredBaseline
from traffic_siamese.preparation import FEATURE_HASH
from traffic_siamese.types import NORMAL, UNKNOWN, LabelledInterval, WindowSpec

PHASES = {
    "steady": ("steady",),
    "steady, recovery": ("steady", "recovery"),
    "steady, onset": ("steady", "onset"),
    "all": ("onset", "steady", "recovery"),
}
TAIL_NS = 60 * 10**9  # after a fault's end: retransmissions outlive it


def main() -> None:
    """Print a table of the folds together, a row for each choice of phases."""
    args = parse()
    corpus = read_corpus(args.folder, args.labels, spec=WindowSpec())
    sides = [side.split(",") for side in args.sides.split(":")]
    folds = [f for f in make_folds(corpus, sides=sides, left_out=args.left_out) if f.source]
    counts: dict[tuple[str, int], Counter[str]] = {}
    for fold in folds:
        with TemporaryDirectory(prefix="phases-") as folder:
            model = train(corpus, fold, Path(folder) / "model", args)
            for wide_s in args.wide:
                for name, phases in PHASES.items():
                    taught = Path(shutil.copytree(model, Path(folder) / "taught"))
                    teach(corpus, fold, taught, args.folder, phases=phases, wide_s=wide_s)
                    found = count(corpus, fold, taught, args.folder)
                    counts.setdefault((name, wide_s), Counter()).update(found)
                    shutil.rmtree(taught)
        print(f"{fold.name} done", file=sys.stderr, flush=True)
    print_table(counts)


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--sides", default="A,C:B")
    parser.add_argument("--left-out", nargs="*")
    parser.add_argument("--wide", type=int, nargs="*", default=[0, 40])
    parser.add_argument("--epochs", type=int, default=FitOptions().training.epochs)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def train(corpus: Corpus, fold: Fold, path: Path, args: argparse.Namespace) -> Path:
    """Train on a fold; the model knows the normal of all networks."""
    options = FitOptions()
    training = replace(options.training, seed=args.seed, epochs=args.epochs)
    options = replace(options, training=training)
    fit(training_logs(corpus, fold, views=options.views), path, options=options)
    library = load_model(path).library
    for network, (center, spread) in corpus.baselines.items():
        library.set_baseline(StoredBaseline(network, FEATURE_HASH, center, spread, 300))
    return path


def teach(
    corpus: Corpus, fold: Fold, model: Path, folder: Path, *, phases: Sequence[str], wide_s: int
) -> None:
    """Add each new fault from its first capture on the source network."""
    wide_ns = wide_s * 10**9
    for label in fold.new:
        mine = [one for one in corpus.intervals if (one.network, one.label) == (fold.source, label)]
        for one in mine[:1]:
            times = (one.start_ns - wide_ns, one.end_ns + wide_ns)
            log = folder / one.capture
            add_fault(label, log, *times, model=model, network=fold.source, phases=phases)


def count(corpus: Corpus, fold: Fold, path: Path, folder: Path) -> Counter[str]:
    """Classify what was captured on the network left out, and count what is right."""
    model, found = load_model(path), Counter[str]()
    teaching = set(corpus.windows.capture[corpus.is_baseline].tolist())
    for capture in {one.capture for one in corpus.intervals if one.network == fold.network}:
        if capture in teaching:
            continue
        result = classify_log(folder / capture, model, network=fold.network)
        intervals = [one for one in corpus.intervals if one.capture == capture]
        fault = next((one for one in intervals if one.label != NORMAL), None)
        found.update(_judge(result, intervals, fault, fold))
    return found


def _judge(
    result: LogResult,
    intervals: Sequence[LabelledInterval],
    fault: LabelledInterval | None,
    fold: Fold,
) -> Counter[str]:
    found: Counter[str] = Counter()
    for one in intervals:
        kind = "normal" if one.label == NORMAL else "new" if one.label in fold.new else "known"
        inside = [
            verdict.label
            for verdict in result.verdicts
            if one.start_ns <= verdict.start_ns and verdict.end_ns <= one.end_ns
        ]
        found[f"{kind} windows"] += len(inside)
        found[f"{kind} right"] += inside.count(one.label)
    if fault is None:
        found["false incidents"] += len(result.incidents)
        return found
    kind = "new" if fault.label in fold.new else "known"
    near = [i for i in result.incidents if i.end_ns > fault.start_ns]
    near = [i for i in near if i.start_ns < fault.end_ns + TAIL_NS]
    found[f"{kind} faults"] += 1
    found[f"{kind} raised"] += any(i.label == fault.label for i in near)
    found[f"{kind} wrong"] += sum(i.label not in (fault.label, UNKNOWN) for i in near)
    return found


def print_table(counts: dict[tuple[str, int], Counter[str]]) -> None:
    """Write Markdown."""
    print(
        "| too wide by, s | examples | new: recall | new: raised | new: wrong incidents a fault |",
        end="",
    )
    print(" known: recall | known: raised | known: wrong a fault | normal kept | false incidents |")
    print("|" + "---|" * 10)
    for (name, wide_s), n in sorted(counts.items(), key=lambda item: item[0][1]):
        cells = [str(wide_s), name]
        for kind in ("new", "known"):
            cells.append(f"{n[f'{kind} right'] / max(1, n[f'{kind} windows']):.3f}")
            cells += [
                f"{n[f'{kind} {what}'] / max(1, n[f'{kind} faults']):.2f}"
                for what in ("raised", "wrong")
            ]
        cells.append(f"{n['normal right'] / max(1, n['normal windows']):.4f}")
        print("| " + " | ".join([*cells, str(n["false incidents"])]) + " |")


if __name__ == "__main__":
    main()
