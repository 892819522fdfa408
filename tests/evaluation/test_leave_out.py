"""The protocol from end to end, trained for an epoch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from traffic_siamese.errors import BundleError, TrainingError
from traffic_siamese.evaluation.corpus import Corpus
from traffic_siamese.evaluation.leave_out import LeaveOutOptions, Step, leave_out
from traffic_siamese.fit_options import FitOptions


def _options(**more: object) -> LeaveOutOptions:
    fit = FitOptions(n_virtual_faults=3)
    training = replace(fit.training, epochs=1, batches_per_epoch=2)
    return LeaveOutOptions(folds=1, draws=2, fit=replace(fit, training=training), **more)


@pytest.mark.slow
def test_a_fold_is_trained_asked_and_told(corpus: Corpus) -> None:
    steps: list[Step] = []
    found = leave_out(corpus, _options(peers=True), progress=steps.append)
    ours, first, *others = found.values
    assert (ours, first) == ("this package, 96 axes", "first 3 of these 96 axes")
    assert "nearest, summary of relative" in others
    asked = {"known", "same, 1 shot", "other, 1 shot", "unknown AUROC", "FPR@95", "EER"}
    assert asked <= set(found.measures(ours))
    assert found.interval("nearest, summary of relative", "known").mean > 0.95
    assert len(found.folds) == len(found.watched) == 1
    assert steps[-1].share == 1
    assert np.all(np.diff([step.share for step in steps]) >= 0)


@pytest.mark.slow
def test_one_network_is_asked_what_it_can_tell(single: Corpus) -> None:
    found = leave_out(single, _options())
    ours = next(iter(found.values))
    assert {"known", "same, 1 shot", "unknown AUROC"} <= set(found.measures(ours))
    assert not any("other" in name for name in found.measures(ours))
    assert any("could not be asked" in note for note in found.notes)


@pytest.mark.slow
def test_a_fold_without_enough_to_train_on_is_left_out_and_said(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    from traffic_siamese.evaluation import encoders

    def refuse(*_: object, **__: object) -> None:
        raise TrainingError("too little.")

    monkeypatch.setattr(encoders, "train_fold", refuse)
    with pytest.raises(TrainingError, match=r"no fold could be trained.*too little"):
        leave_out(corpus, _options())


def test_a_model_of_another_window_cannot_be_compared(corpus: Corpus, model: Path) -> None:
    with pytest.raises(BundleError, match="windows of 16 bins, the folds have windows of 32"):
        leave_out(corpus, _options(model=str(model)))
