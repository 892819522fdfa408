"""How well real faults of other networks are recognised: public counters, one site learned from.

    python benchmarks/public.py DIR [--data kddi_5gc kddi_ipcore cisco_bgp] [--draws 20]
        [--timesteps 4] [--epochs 8] [--seed 0] [--leave-out all|N] [--json results.json]

DIR holds one folder for each recording (``--help`` names them; ``kddi_5gc/alike`` is the first
one with its three network functions said to be alike). Two questions, asked of all methods
on the same windows with the same examples: how well a site is judged that was not trained on, with
examples from the trained site, with one example of each fault of its own, and with both; and how
well a fault is found that was left out of training and added with one example. MiniRocket runs
where aeon is installed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import public_data as data
from oneshot_report import Runs, per_fault, table
from public_peers import FOREST, SAME_SITE, forest, forest_of_same_site, public_peers
from public_questions import BOTH, OWN, ask_one_shot

from traffic_siamese.evaluation.corpus import Corpus, make_corpus
from traffic_siamese.evaluation.draws import draw_examples
from traffic_siamese.evaluation.encoders import train_fold
from traffic_siamese.evaluation.folds import Fold
from traffic_siamese.evaluation.peers import fold_inputs
from traffic_siamese.evaluation.protocol import measure
from traffic_siamese.evaluation.spaces import Points, Space
from traffic_siamese.fit_options import FitOptions
from traffic_siamese.types import WindowSpec

READERS = {
    "kddi_5gc": (data.read_5g_core, 4),
    "kddi_5gc/alike": (data.read_5g_alike, 4),
    "kddi_ipcore": (data.read_ip_core, 2),
    "cisco_bgp": (data.read_routers, 8),
}
N_VIRTUAL = 400  # as few epochs see no more of them
OURS = "this package"
ONE_SHOT = {
    "examples of the other site": "known",
    "one example each": OWN,
    "both": BOTH,
}
LEFT_OUT = {
    "one example, same site": "same, 1 shot",
    "one example, other site": "other, 1 shot",
    "normal kept": "normal kept, same",
    "known faults": "known",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    options = _parser().parse_args(arguments)
    kept = {}
    for name in options.data:
        reader, n_timesteps = READERS[name]
        corpus = public_corpus(
            reader(options.folder / name), options.timesteps or n_timesteps, seed=options.seed
        )
        kept[name] = run(name, corpus, options)
    if options.json:
        options.json.write_text(json.dumps(kept))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--data", nargs="+", choices=READERS, default=list(READERS))
    parser.add_argument("--draws", type=int, default=20, help="random examples per fold")
    parser.add_argument("--timesteps", type=int, help="rows in a window; by default as the data")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--leave-out", default="all", help="faults to leave out; 0 for none")
    parser.add_argument("--json", type=Path, help="where every single value goes")
    return parser


def public_corpus(networks: Sequence[data.Rows], n_timesteps: int, *, seed: int) -> Corpus:
    """Cut networks into captures and these into windows."""
    logs, intervals = {}, []
    for rows in networks:
        captures, labelled = data.as_captures(rows, seed=seed)
        shown = {one.capture for one in labelled}
        logs |= {log.name: log for log in captures if log.name in shown}
        intervals += labelled
    spec = WindowSpec(n_timesteps=n_timesteps, stride=1, bin_s=networks[0].step_s)
    teaching = [name for name in logs if name.startswith(data.BASELINE)]
    return make_corpus(logs, intervals, spec=spec, baseline_captures=teaching)


def public_folds(corpus: Corpus) -> tuple[list[Fold], list[Fold]]:
    """Return folds that leave a site out, and those that leave a fault out as well."""
    pairs = [(one, other) for one in corpus.baselines for other in corpus.baselines if one != other]
    if len(corpus.baselines) > 2:
        pairs = [pair for pair in pairs if pair[0] == _next(corpus, pair[1])]
    sites = [Fold(one, other, (other,), corpus.faults, ()) for one, other in pairs]
    faults = [
        replace(fold, known=tuple(f for f in corpus.faults if f != fault), new=(fault,))
        for fold in sites
        for fault in corpus.faults
        if len(corpus.faults) > 1
    ]
    return sites, faults


def _next(corpus: Corpus, network: str) -> str:
    names = list(corpus.baselines)
    return names[(names.index(network) + 1) % len(names)]


def run(name: str, corpus: Corpus, options: argparse.Namespace) -> dict[str, dict[str, Runs]]:
    """Measure one recording and print its tables."""
    sites, faults = public_folds(corpus)
    n_faults = len(faults) if options.leave_out == "all" else int(options.leave_out)
    one_shot: dict[str, list[dict[str, list[float]]]] = {}
    left_out: dict[str, list[dict[str, list[float]]]] = {}
    for fold in [*sites, *faults[:n_faults]]:
        kept = left_out if fold.new else one_shot
        for method, values in measure_fold(corpus, fold, options).items():
            kept.setdefault(method, []).append(values)
    print(f"\n## {name}: one-shot on the other site\n\n{table(one_shot, ONE_SHOT)}")
    for number, fold in enumerate(sites if len(sites) > 1 else []):
        alone = {method: [runs[number]] for method, runs in one_shot.items()}
        print(f"\n{fold.source} to {fold.network}\n\n{table(alone, ONE_SHOT)}")
    print(f"\n{per_fault({OURS: one_shot[OURS]})}")
    if left_out:
        print(f"\n## {name}: a fault left out\n\n{table(left_out, LEFT_OUT)}")
        print(f"\n{per_fault({method: left_out[method] for method in (OURS, FOREST)})}")
    return {"one-shot": one_shot, "left out": left_out}


def measure_fold(
    corpus: Corpus, fold: Fold, options: argparse.Namespace
) -> dict[str, dict[str, list[float]]]:
    """Train, ask every method; values of each measure, one a draw."""
    started = time.monotonic()
    draws = draw_examples(corpus, fold, n=options.draws, seed=options.seed)
    inputs = fold_inputs(corpus, fold)
    spaces: dict[str, Space] = {name: make(inputs) for name, make in public_peers().items()}
    trained = train_fold(corpus, fold, fit_options(corpus, options))
    spaces[OURS] = Points(trained.embeddings)
    found = {}
    for method, space in spaces.items():
        found[method] = measure(corpus, fold, space, draws).values
        if not fold.new:
            found[method] |= ask_one_shot(corpus, fold, space, draws, seed=options.seed)
    found[FOREST] = forest(corpus, fold, inputs, draws)
    if not fold.new:
        found[SAME_SITE] = forest_of_same_site(corpus, fold, inputs)
    what = f"{fold.source} to {fold.network} without {', '.join(fold.new) or 'nothing'}"
    print(f"{what}: {time.monotonic() - started:.0f} s", file=sys.stderr)
    return found


def fit_options(corpus: Corpus, options: argparse.Namespace) -> FitOptions:
    """Return the package's defaults, with this window and fewer epochs."""
    defaults = FitOptions(window=corpus.spec)
    training = replace(defaults.training, epochs=options.epochs, seed=options.seed)
    return replace(defaults, training=training, n_virtual_faults=N_VIRTUAL)


if __name__ == "__main__":
    main()
