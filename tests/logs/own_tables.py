"""Tables of a small network of one's own, with faults; for tests."""

from pathlib import Path

import numpy as np

from traffic_siamese.times import format_time

N_ROWS, FIRST, LAST = 150, 60, 110
START = 1_780_000_000
FAULTS = ("normal", "link_down", "overload")


def rows(fault: str, seed: int, *, scale: float = 1.0, n: int = N_ROWS) -> list[str]:
    """Lines of a CSV table: a row every 10 s, in trouble from row 60 to row 110."""
    rng = np.random.default_rng(seed)
    load = scale * 1000 * (1 + 0.2 * np.sin(np.arange(n) / 20))
    rx, tx = rng.poisson(load), rng.poisson(load * 0.8)
    cpu, drops = 20 + rng.normal(0, 1, n), rng.poisson(0.2, n)
    hit = slice(FIRST, LAST)
    if fault == "link_down":
        rx[hit], drops[hit] = 0, drops[hit] + 50
    elif fault == "overload":
        cpu[hit], tx[hit] = cpu[hit] + 60, tx[hit] // 2
    total = (2**32 - 50_000 + np.cumsum(rx)) % 2**32
    header = "time,rx_bytes_total,tx_bytes,cpu_percent,drops"
    lines = zip(total.tolist(), tx.tolist(), cpu.tolist(), drops.tolist(), strict=True)
    return [
        header,
        *(f"{START + 10 * i},{r},{t},{c:.2f},{d}" for i, (r, t, c, d) in enumerate(lines)),
    ]


def moment(row: int) -> str:
    """When what a row tells of ends."""
    return format_time((START + 10 * row) * 10**9)


def write_lab(folder: Path, networks: tuple[str, ...] = ("S", "T")) -> Path:
    """Write tables of two networks, two of each fault, and return their labels."""
    lines = ["capture,start,end,label"]
    for number, network in enumerate(networks):
        (folder / network).mkdir()
        for i, fault in enumerate(FAULTS * 2):
            name = f"{network}/{fault}-{i}.csv"
            text = rows(fault, 10 * number + i, scale=1 + 2 * number)
            (folder / name).write_text("\n".join(text))
            if fault == "normal":
                lines.append(f"{name},{moment(0)},{moment(N_ROWS - 1)},normal")
                continue
            lines.append(f"{name},{moment(0)},{moment(FIRST - 1)},normal")
            lines.append(f"{name},{moment(FIRST - 1)},{moment(LAST - 1)},{fault}")
    labels = folder / "labels.csv"
    labels.write_text("\n".join(lines) + "\n")
    return labels
