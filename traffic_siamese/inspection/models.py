"""What a model is, and what it was trained with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from traffic_siamese.bundle import load_bundle
from traffic_siamese.features.schema import FEATURE_NAMES
from traffic_siamese.history import TrainingHistory
from traffic_siamese.oneshot.rows import StoredBaseline
from traffic_siamese.scaling import Scaler


def describe_model(path: str | Path) -> dict[str, Any]:
    """Say what a model is, and what it was trained with.

    Returns
    -------
    dict
        Plain values, for JSON.

    Raises
    ------
    BundleError
        If it is missing, damaged or of another version.
    """
    bundle = load_bundle(path)
    info, library = bundle.info, bundle.library()
    schema = Scaler.from_arrays(bundle.scaling).schema
    history = TrainingHistory.load(bundle.history_path)
    summary = library.summary(bundle.encoder_id)
    baselines = [library.get_baseline(name, schema.digest) for name in library.networks()]
    calibration = info.calibration
    return {
        "model": str(path),
        "created": info.created,
        "labels": {
            row.label: {
                "trained": row.n_trained,
                "added": row.n_added,
                "reach": round(calibration.radii.get(row.label, calibration.pooled_radius), 6),
            }
            for row in summary
        },
        "window_s": info.window.n_timesteps * info.window.bin_s,
        "stride_s": info.window.stride * info.window.bin_s,
        "bin_s": info.window.bin_s,
        "features": len(info.feature_names),
        "table_columns": list(schema.names) if schema.is_table else None,
        "alike": list(schema.alike),
        "relations": schema.relations,
        "same_features": schema.is_table or info.feature_names == FEATURE_NAMES,
        "embedding_dim": info.embedding_dim,
        "false_unknown_share": calibration.false_unknown_share,
        "temperature": calibration.temperature,
        "networks": {one.network: _baseline(one) for one in baselines if one is not None},
        "training": {
            "epochs": history.n_epochs,
            "windows_followed": len(history.label),
            "captures": len(np.unique(history.capture)),
            "loss": info.training.get("loss"),
            "separation": _finite(history.separation[-1]) if history.n_epochs else None,
            **info.metrics,
        },
        "versions": info.versions,
    }


def _baseline(stored: StoredBaseline) -> dict[str, Any]:
    return {"bins": stored.n_bins, "learned_at": stored.learned_at}


def _finite(value: float) -> float | None:
    return round(float(value), 3) if np.isfinite(value) else None
