"""What the ablation does piece by piece, in processes that each read the captures once."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from oneshot_data import Corpus, Fold, make_folds, read_corpus

Result = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Task:
    """What one process does at a time: a row on a fold with a seed.

    Attributes
    ----------
    row, fold : str
        Name of the row; network and new faults of the fold.
    seed, draws : int
    steps : int or None
        Of training, before the row changes them; None for the package's own.
    """

    row: str
    fold: str
    seed: int
    draws: int
    steps: int | None


@dataclass(frozen=True, slots=True)
class Source:
    """Where the captures are, and how folds are made of them."""

    logs_dir: Path
    labels: Path
    sides: tuple[tuple[str, ...], ...]
    baseline: str

    def read(self) -> Corpus:
        """Read the captures, or what an earlier run kept of them."""
        return read_corpus(self.logs_dir, self.labels, baseline_captures=self.baseline)

    def folds(self, corpus: Corpus) -> list[Fold]:
        """Return the folds of all networks with a peer seen from the same side."""
        paired = [name for side in self.sides if len(side) > 1 for name in side]
        return make_folds(corpus, sides=self.sides, left_out=paired)


class _Worker:
    """One process: reads the captures once, then carries out task after task."""

    corpus: Corpus
    folds: dict[str, Fold]

    @classmethod
    def open(cls, source: Source) -> None:
        """Read what all tasks need."""
        cls.corpus = source.read()
        cls.folds = {fold.name: fold for fold in source.folds(cls.corpus)}

    @classmethod
    def carry_out(cls, task: Task) -> Result:
        """Train and measure."""
        from ablation_training import carry_out  # TensorFlow, which the other side does without

        return carry_out(task, cls.corpus, cls.folds[task.fold])


def carry_out_all(
    tasks: Sequence[Task], source: Source, *, jobs: int
) -> Iterator[tuple[Task, Result | Exception]]:
    """Carry out tasks in processes of one thread each, and give each result as it is there."""
    for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ[name] = "1"  # what the processes inherit
    spawn = get_context("spawn")
    with ProcessPoolExecutor(jobs, spawn, initializer=_Worker.open, initargs=(source,)) as pool:
        futures: dict[Future[Result], Task] = {
            pool.submit(_Worker.carry_out, task): task for task in tasks
        }
        try:
            for future in as_completed(futures):
                error = future.exception()
                if error is not None and not isinstance(error, Exception):
                    raise error
                yield futures[future], error or future.result()
        finally:  # when the run is broken off, what has not begun is not begun any more
            pool.shutdown(wait=False, cancel_futures=True)
