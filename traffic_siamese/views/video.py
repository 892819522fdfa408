"""The training film as a video, MP4 or GIF, painted without a browser."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from traffic_siamese.views.film import FilmInfo, draw_runs, film_info
from traffic_siamese.views.film_data import FilmOptions
from traffic_siamese.views.film_run import FilmRun
from traffic_siamese.views.video_ink import load_package
from traffic_siamese.views.video_picture import VideoPicture
from traffic_siamese.views.video_time import timing_of
from traffic_siamese.views.whole_file import whole_file

if TYPE_CHECKING:
    from PIL.Image import Image

_MP4_FRAMES_PER_S = 25
_GIF_FRAMES_PER_S = 10
_GIF_WIDTH = 800
_CODECS = ("libx264", "mpeg4")  # the second is in every build


def write_video(
    runs: FilmRun | Sequence[FilmRun],
    path: str | os.PathLike[str],
    *,
    title: str = "Training film",
    options: FilmOptions | None = None,
    progress: Callable[[float], None] | None = None,
) -> FilmInfo:
    """Write the film as a video: the training, then the faults that were added since.

    Parameters
    ----------
    runs : FilmRun, or a sequence of one or two
        The training to show, or two side by side.
    path : path-like
        What to write; ``.gif`` gives an animated picture of 800 x 450, ``.mp4`` 1280 x 720. An
        existing file is replaced whole.
    title : str
        Heading.
    options : FilmOptions, optional
        How much to show, and which axes.
    progress : callable, optional
        Told the share of the frames that are painted, after each.

    Raises
    ------
    MissingExtraError
        If the packages of the ``video`` extra are not installed.
    TrainingError, ValueError
        As ``views.film.write_film``.
    OSError
        If the file cannot be written.
    """
    load_package("PIL.Image")
    target = Path(path)
    is_gif = target.suffix.lower() == ".gif"
    av = None if is_gif else load_package("av")
    drawn = draw_runs(runs, options)
    timing = timing_of(drawn)
    picture = VideoPicture(drawn, timing, title)
    rate = _GIF_FRAMES_PER_S if is_gif else _MP4_FRAMES_PER_S
    frames = _painted(picture, rate, round(timing.total_s * rate), progress or (lambda _: None))
    with whole_file(target) as draft:
        if av is None:
            _write_gif(draft, frames)
        else:
            _write_mp4(av, draft, frames)
    return film_info(target, target.stat().st_size, drawn)


def _painted(
    picture: VideoPicture, rate: int, n_frames: int, progress: Callable[[float], None]
) -> Iterator[Image]:
    for n in range(n_frames):
        yield picture.paint(n / rate)
        progress((n + 1) / n_frames)


def _write_mp4(av: Any, path: Path, frames: Iterator[Image]) -> None:
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = None
        for frame in frames:
            if stream is None:
                stream = _stream(av, container, frame.size)
            picture = av.VideoFrame.from_ndarray(np.asarray(frame), format="rgb24")
            for packet in stream.encode(picture):
                container.mux(packet)
        for packet in stream.encode() if stream is not None else ():
            container.mux(packet)


def _stream(av: Any, container: Any, size: tuple[int, int]) -> Any:
    codec = next((name for name in _CODECS if name in av.codecs_available), _CODECS[-1])
    options = {"preset": "veryfast", "crf": "20"} if codec == "libx264" else {}
    stream = container.add_stream(codec, rate=_MP4_FRAMES_PER_S, options=options)
    stream.width, stream.height = size
    stream.pix_fmt = "yuv420p"  # what every player shows
    if codec != "libx264":
        stream.bit_rate = 4_000_000
    return stream


def _write_gif(path: Path, frames: Iterator[Image]) -> None:
    """Write the frames with the colours of the first, from which no later one departs."""
    from PIL import Image

    small = (
        frame.resize((_GIF_WIDTH, _GIF_WIDTH * 9 // 16), Image.Resampling.BOX) for frame in frames
    )
    first = next(small)
    palette = first.quantize(255, method=Image.Quantize.MEDIANCUT)
    rest = (frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in small)
    palette.save(
        path,
        format="GIF",
        save_all=True,
        append_images=rest,
        duration=1000 // _GIF_FRAMES_PER_S,
        loop=0,
        optimize=False,
    )
