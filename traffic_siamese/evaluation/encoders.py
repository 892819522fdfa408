"""An encoder for each fold, trained as the package trains one. Needs the ``train`` extra."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from traffic_siamese.evaluation.corpus import Corpus
from traffic_siamese.evaluation.folds import Fold, training_logs
from traffic_siamese.evaluation.trained import Trained, embedded
from traffic_siamese.fit_options import FitOptions
from traffic_siamese.fitting import fit
from traffic_siamese.keeper import EpochReport
from traffic_siamese.model import load_model


def train_fold(
    corpus: Corpus,
    fold: Fold,
    options: FitOptions,
    *,
    progress: Callable[[EpochReport], None] | None = None,
) -> Trained:
    """Train on a fold, as ``fitting.train`` does with a folder of logs.

    Raises
    ------
    TrainingError
        If the fold leaves too little to train on.
    """
    data = training_logs(corpus, fold, views=options.views)
    with TemporaryDirectory(prefix="traffic-siamese-") as folder:
        fit(data, Path(folder) / "model", options=options, progress=progress)
        model = load_model(Path(folder) / "model", threads=0)
    return embedded(corpus, model)
