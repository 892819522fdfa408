"""Seconds of SIP traffic with and without a fault, and an encoder of one matrix."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests import builders as b
from tests.features.sip import SECOND, Sip, datagram
from traffic_siamese.baseline import learn_baseline
from traffic_siamese.bundle import BundleContents, BundleInfo, library_path, save_bundle
from traffic_siamese.bundle import encoder_id as name_of
from traffic_siamese.embedding import OnnxEncoder
from traffic_siamese.features.schema import FEATURE_NAMES
from traffic_siamese.features.series import read_series
from traffic_siamese.history import TrainingHistory
from traffic_siamese.labels import read_labels
from traffic_siamese.oneshot.calibration import Calibration
from traffic_siamese.oneshot.library import FaultLibrary
from traffic_siamese.oneshot.rows import StoredBaseline
from traffic_siamese.preparation import FEATURE_HASH, labelled_windows, prepare
from traffic_siamese.scaling import Scaler
from traffic_siamese.times import format_time
from traffic_siamese.types import Prototype, TrafficLog, WindowSpec

START_NS = 1_700_000_000 * SECOND  # 2023-11-14T22:13:20Z
SPEC = WindowSpec(n_timesteps=16, stride=4)
FAULT_FROM_S, FAULT_TO_S, LENGTH_S = 60, 120, 180


def sip_packets(status_of: dict[int, int], *, length_s: int, seed: int = 0) -> list[b.Packet]:
    """Write registrations, four a second; from each second of ``status_of`` on so answered."""
    rng = np.random.default_rng(seed)
    packets, status = [], 200
    for number in range(4 * length_s):
        status = status_of.get(number // 4, status) if number % 4 == 0 else status
        asked_ns = START_NS + number * SECOND // 4
        said = {"call": f"call-{seed}-{number}", "branch": f"z9hG4bK{seed}x{number}"}
        phone = 10 + int(rng.integers(5))
        request = Sip("REGISTER", user=f"u{phone}", **said)
        packets.append(datagram(request.wire, asked_ns, hosts=(phone, 1)))
        answered_ns = asked_ns + int(rng.integers(8, 30)) * 1_000_000
        answer = Sip("REGISTER", status, user=f"u{phone}", **said)
        packets.append(datagram(answer.wire, answered_ns, hosts=(1, phone)))
    return packets


def write_capture(path: Path, status_of: dict[int, int], *, length_s: int, seed: int = 0) -> Path:
    """Write one capture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    packets = sip_packets(status_of, length_s=length_s, seed=seed)
    path.write_bytes(b.pcap(packets, magic=b.NANOSECONDS))
    return path


def at(seconds: float) -> str:
    """Return a time of the captures as labels write it."""
    return format_time(START_NS + round(seconds * SECOND))


def make_captures(folder: Path) -> Path:
    """Write captures of the networks A and B, and ``labels.csv``."""
    refused = {FAULT_FROM_S: 403, FAULT_TO_S: 200}
    lines = ["capture,start,end,label"]
    for seed, network in enumerate("AB"):
        write_capture(folder / network / "normal-1.pcap", {}, length_s=120, seed=seed)
        write_capture(
            folder / network / "refused-1.pcap", refused, length_s=LENGTH_S, seed=seed + 5
        )
        lines += [
            f"{network}/normal-1.pcap,{at(0)},{at(120)},normal",
            f"{network}/refused-1.pcap,{at(0)},{at(FAULT_FROM_S)},normal",
            f"{network}/refused-1.pcap,{at(FAULT_FROM_S)},{at(FAULT_TO_S)},refused",
        ]
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    (folder / "README.md").write_text("How they were recorded.\n")
    (folder / ".hidden").write_text("nothing")
    return folder


def make_encoder(direction: np.ndarray, *, n_channels: int) -> bytes:
    """Mean over time, one matrix whose first column is ``direction``, a sigmoid."""
    rng = np.random.default_rng(0)
    matrix = 0.02 * rng.standard_normal((n_channels, 3))
    matrix[:, 0] = direction
    nodes = [
        helper.make_node("ReduceMean", ["windows"], ["mean"], axes=[1], keepdims=0),
        helper.make_node("MatMul", ["mean", "matrix"], ["product"]),
        helper.make_node("Sigmoid", ["product"], ["embeddings"]),
    ]
    graph = helper.make_graph(
        nodes,
        "encoder",
        [
            helper.make_tensor_value_info(
                "windows", TensorProto.FLOAT, ["batch", SPEC.n_timesteps, n_channels]
            )
        ],
        [helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, ["batch", 3])],
        [numpy_helper.from_array(matrix.astype(np.float32), "matrix")],
    )
    opset = [helper.make_opsetid("", 17)]
    data: bytes = helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()
    onnx.checker.check_model(data)
    return data


def make_model(path: Path, captures: Path) -> Path:
    """Make a model of the captures of network A, which knows the normal of A alone."""
    names = ("A/normal-1.pcap", "A/refused-1.pcap")
    read = [read_series(captures / name) for name in names]
    logs = [TrafficLog(n, one.series, one.n_packets) for n, one in zip(names, read, strict=True)]
    baseline = learn_baseline(logs[0].series[0].values)
    values = np.concatenate([log.series[0].values for log in logs])
    scaler = Scaler.fit(values, np.broadcast_to(baseline[0], values.shape))
    prepared = [prepare(log, scaler, baseline=baseline, network="A") for log in logs]
    windows = labelled_windows(prepared, read_labels(captures / "labels.csv"), SPEC, stride=4)
    means = windows.gather().mean(axis=1)
    apart = means[windows.label == "refused"].mean(axis=0)
    apart = apart - means[windows.label == "normal"].mean(axis=0)
    onnx_bytes = make_encoder(4 * apart / (apart @ apart), n_channels=means.shape[1])
    embeddings = OnnxEncoder(onnx_bytes).embed(windows.gather())
    _store(path, prepared, windows, embeddings, onnx_bytes)
    contents = BundleContents(
        _info(), b"no network", onnx_bytes, scaler.arrays(), _history(windows, embeddings)
    )
    save_bundle(path, contents)
    return path


def _info() -> BundleInfo:
    return BundleInfo(
        feature_names=FEATURE_NAMES,
        window=SPEC,
        embedding_dim=3,
        labels=("normal", "refused"),
        calibration=Calibration({"normal": 0.15, "refused": 0.15}, 0.15, 0.01, 0.01),
        training={"loss": "semi_hard"},
        metrics={"held_out_balanced_accuracy": 1.0, "best_epoch": 1},
        versions={"traffic-siamese": "0.1.0"},
        created="2026-11-22T06:00:00Z",
    )


def _store(path, prepared, windows, embeddings, onnx_bytes) -> None:
    path.mkdir(parents=True)
    library = FaultLibrary(library_path(path))
    prototypes = []
    for label in ("normal", "refused"):
        for row in np.flatnonzero(windows.label == label)[[1, -2]].tolist():
            log, start = prepared[int(windows.series_index[row])], int(windows.start_bin[row])
            start_ns = int(windows.start_ns[row])
            source = {
                "capture": log.log.name,
                "network": "A",
                "start": format_time(start_ns),
                "end": format_time(start_ns + SPEC.n_timesteps * SECOND),
            }
            raw = log.log.series[0].values[start : start + SPEC.n_timesteps]
            prototypes.append(Prototype(label, raw, log.baseline, embeddings[row], source))
    library.replace_trained(name_of(onnx_bytes), prototypes)
    center, spread = prepared[0].baseline
    library.set_baseline(StoredBaseline("A", FEATURE_HASH, center, spread, 120, {}, at(0)))


def _history(windows, embeddings) -> bytes:
    n = len(windows)
    curve = np.array([np.nan, 1.0], np.float32)
    history = TrainingHistory(
        embeddings=np.stack([np.full_like(embeddings, 0.5), embeddings]),
        label=windows.label,
        capture=windows.capture,
        network=windows.network,
        start_ns=windows.start_ns,
        held_out=np.zeros(n, bool),
        prototype=np.arange(n) < 2,
        loss=curve,
        val_loss=curve,
        separation=np.array([1.0, 5.0], np.float32),
        active_triplets=np.array([1.0, 0.1], np.float32),
    )
    stream = io.BytesIO()
    history.write(stream)
    return stream.getvalue()
