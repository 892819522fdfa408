"""Numbers with units, and how one relates to another, in few characters."""

from __future__ import annotations

import math

_PARTS = {
    2 / 3: "two thirds",
    1 / 2: "half",
    1 / 3: "a third",
    1 / 4: "a quarter",
    1 / 5: "a fifth",
    1 / 10: "a tenth",
    1 / 20: "a twentieth",
    1 / 50: "a fiftieth",
}


def figure(value: float) -> str:
    """Write two or three digits, without an exponent.

    Examples
    --------
    >>> [figure(value) for value in (0.0001, 0.0421, 4.2, 12.345, 123.4, 45678.9)]
    ['0', '0.042', '4.2', '12', '123', '45,679']
    """
    if abs(value) < 0.0005:
        return "0"
    if abs(value) >= 10:
        return f"{value:,.0f}"
    text = f"{value:.2g}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(share: float) -> str:
    """Write a share in hundredths; nothing but 0 is written as 0, nothing but all as 100.

    Examples
    --------
    >>> [percent(share) for share in (0, 0.002, 0.41, 0.999, 1)]
    ['0 %', '<1 %', '41 %', '>99 %', '100 %']
    """
    if 0.0005 <= share < 0.005:
        return "<1 %"
    if 0.995 <= share < 0.9995:
        return ">99 %"
    return f"{100 * share:.0f} %"


def seconds(value: float) -> str:
    """Write a time in ms below a second.

    Examples
    --------
    >>> [seconds(value) for value in (0.0242, 0.5, 1.34, 12.3)]
    ['24 ms', '500 ms', '1.3 s', '12 s']
    """
    return f"{figure(1000 * value)} ms" if value < 0.9995 else f"{figure(value)} s"


def bytes_per_s(value: float) -> str:
    """Write a rate of bytes.

    Examples
    --------
    >>> [bytes_per_s(value) for value in (900, 16_561, 2_400_000)]
    ['900 B/s', '17 kB/s', '2.4 MB/s']
    """
    for limit, unit in ((1e6, "MB"), (1e3, "kB")):
        if value >= limit:
            return f"{figure(value / limit)} {unit}/s"
    return f"{figure(value)} B/s"


def times(ratio: float) -> str:
    """Write how many times as much, for ratios above one.

    Examples
    --------
    >>> [times(ratio) for ratio in (1.53, 6.2, 230)]
    ['1.5×', '6×', '230×']
    """
    if ratio < 3:
        return f"{figure(round(ratio, 1))}×"
    digits = max(0, math.floor(math.log10(ratio)) - 1)
    return f"{round(ratio, -digits):,.0f}×"


def fraction(ratio: float) -> str:
    """Name the fraction nearest to a ratio below one, by ratio.

    Examples
    --------
    >>> [fraction(ratio) for ratio in (0.45, 0.12, 0.02)]
    ['half', 'a tenth', 'a fiftieth']
    """
    return _PARTS[min(_PARTS, key=lambda part: abs(math.log(part / ratio)))]
