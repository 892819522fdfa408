"""How often normal traffic of networks that nobody trained on raises an incident.

Networks are drawn at random and simulated, without a fault, for hours in one piece. Each is
classified twice: with a normal that ``baseline`` learned from another ten minutes of it, and with
the normal estimated from the log itself.

    python benchmarks/false_incidents.py [--model DIR] [--networks 6] [--hours 2] [--seed 0]
        [--baseline-minutes 10] [--false-alarms-per-day 1] [--protocol sip] [--workers 1]

Without --model the shipped one is asked: it was trained on real captures, and on none of these.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from traffic_siamese.classification import LogResult, classify_log
from traffic_siamese.evaluation.intervals import poisson_interval
from traffic_siamese.model import load_model
from traffic_siamese.network_normal import learn_network
from traffic_siamese.simulate.signalling.episode import simulate_episode
from traffic_siamese.simulate.signalling.network_model import draw_network
from traffic_siamese.starting import start_model

LEARNED, ESTIMATED = "baseline learned", "baseline estimated from the log"
_NETWORKS = 11  # sets the chance of drawing networks apart from other uses of a seed


@dataclass(frozen=True)
class Found:
    """What came of one network.

    Attributes
    ----------
    name, transport : str
    hours : float
        That were classified.
    packets : int
    incidents : dict of str to list of str
        By where normal came from: what was raised, in words.
    """

    name: str
    transport: str
    hours: float
    packets: int
    incidents: dict[str, list[str]]


def main(argv: Sequence[str] | None = None) -> None:
    """Print a row for each network, and the rates of all together."""
    args = parse(argv)
    numbers = range(args.seed, args.seed + args.networks)
    started_s = time.perf_counter()
    with ProcessPoolExecutor(args.workers) as pool:
        found = []
        for one in pool.map(watch, numbers, [args] * args.networks):
            found.append(one)
            print(f"{words(one)} ({time.perf_counter() - started_s:.0f} s)", file=sys.stderr)
    print(table(found))


def watch(number: int, args: argparse.Namespace) -> Found:
    """Simulate a network, learn its normal, classify it."""
    rng = np.random.default_rng([number, _NETWORKS])
    network = draw_network(rng, name=f"network-{number}", protocol=args.protocol)
    with TemporaryDirectory(prefix="false-incidents-") as folder:
        model, log, lesson = (Path(folder) / name for name in ("model", "log.zst", "lesson.zst"))
        shutil.copytree(args.model, model) if args.model else start_model(model)
        minutes = {lesson: args.baseline_minutes, log: 60 * args.hours}
        for place, (path, length_min) in enumerate(minutes.items()):
            episode = simulate_episode(network, duration_s=60 * length_min, seed=2 * number + place)
            episode.write_pcap(path)
        learn_network([lesson], model=model, network=network.name)
        loaded = load_model(model)
        results = {
            where: classify_log(
                log, loaded, network=name, false_alarms_per_day=args.false_alarms_per_day
            )
            for where, name in ((LEARNED, network.name), (ESTIMATED, None))
        }
    incidents = {where: raised(result) for where, result in results.items()}
    packets = results[LEARNED].n_packets
    return Found(network.name, network.transport, args.hours, packets, incidents)


def raised(result: LogResult) -> list[str]:
    """Return every incident in words: all of them are false."""
    return [
        f"{one.label} for {(one.end_ns - one.start_ns) / 1e9:.0f} s: {one.reason}"
        for one in result.incidents
    ]


def words(one: Found) -> str:
    """Return what was raised on one network."""
    lines = [f"  {where}: {text}" for where, texts in one.incidents.items() for text in texts]
    return "\n".join([f"{one.name}, {one.transport}, {one.packets:,} packets", *lines])


def table(found: Sequence[Found]) -> str:
    """Return the rates with their 95 % intervals, as Markdown."""
    rows = [
        "| normal | hours | false incidents | in 10 hours | networks that raised any |",
        "|---|---|---|---|---|",
    ]
    hours = sum(one.hours for one in found)
    for where in (LEARNED, ESTIMATED):
        counts = [len(one.incidents[where]) for one in found]
        low, high = (10 * end / hours for end in poisson_interval(sum(counts)))
        rate = f"{10 * sum(counts) / hours:.2f} ({low:.2f}–{high:.2f})"
        some = sum(n > 0 for n in counts)
        rows.append(f"| {where} | {hours:.1f} | {sum(counts)} | {rate} | {some} of {len(found)} |")
    return "\n".join(rows)


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path, help="a model of your own")
    parser.add_argument("--networks", type=int, default=6)
    parser.add_argument("--hours", type=float, default=2.0, help="of each network, in one piece")
    parser.add_argument("--baseline-minutes", type=float, default=10.0)
    parser.add_argument("--false-alarms-per-day", type=float, default=1.0)
    parser.add_argument("--protocol", default="sip")
    parser.add_argument("--seed", type=int, default=0, help="the first network's number")
    parser.add_argument("--workers", type=int, default=1)
    return parser.parse_args(argv)


if __name__ == "__main__":
    main()
