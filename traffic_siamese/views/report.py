"""The incident page: what classifying many logs found, in one HTML page, written as results come.

Each log's details go into the page at once, compressed by themselves, and are unpacked in the
browser when somebody opens the log: neither this process nor the browser ever holds them all.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from traffic_siamese.errors import TrafficSiameseError
from traffic_siamese.types import UNKNOWN, Prototype, WindowSpec
from traffic_siamese.views.colours import label_colours
from traffic_siamese.views.plotly_page import (
    assemble,
    escape,
    head,
    pack_bytes,
    pack_json,
    packed_plotly,
    part,
    script,
)
from traffic_siamese.views.report_data import Classified, entry, examples, full
from traffic_siamese.views.whole_file import file_mode

_SCRIPTS = (
    "unpack",
    "cube",
    "report_basics",
    "report_words",
    "report_address",
    "report_list",
    "report_overview",
    "report_ticks",
    "report_timeline",
    "report_cube",
    "report_capture",
    "report",
)
_DETAILS = "{{details}}"


@dataclass(frozen=True, slots=True)
class ReportAbout:
    """What the page says of how its logs were classified.

    Attributes
    ----------
    model : str
        Name of the model.
    window : WindowSpec
        How long a window is.
    embedding_dim : int
        How many numbers the model compares.
    prototypes : sequence of Prototype
        The model's examples, drawn in the cube.
    network : str
        Whose learned normal was used; empty where normal was estimated from each log.
    n_logs : int
        How many logs are to be classified; 0 where that is not known.
    """

    model: str
    window: WindowSpec
    embedding_dim: int
    prototypes: Sequence[Prototype]
    network: str = ""
    n_logs: int = 0


class ReportWriter:
    """Writes the incident page; a context manager.

    The page appears under its name when the block ends, whole: until then an older page stays.
    Where the block is broken off, by Ctrl-C say, the page holds what came before and says so.

    Parameters
    ----------
    path : path-like
        The page to write; its folder must exist.
    about : ReportAbout
    title : str, default "Incidents"
        Heading of the page.

    Raises
    ------
    TrafficSiameseError
        If the page cannot be written.
    """

    def __init__(
        self, path: str | os.PathLike[str], about: ReportAbout, *, title: str = "Incidents"
    ) -> None:
        self._path, self._about, self._title = Path(path), about, title
        self._entries: list[str] = []
        self._labels = {UNKNOWN, *(one.label for one in about.prototypes)}
        front, _, self._tail = part("report.html").partition(_DETAILS)
        if self._path.is_dir():
            raise self._unwritable("it is a folder")
        try:
            handle, draft = tempfile.mkstemp(prefix=f".{self._path.name}.", dir=self._path.parent)
        except OSError as err:
            raise self._unwritable(err.strerror or str(err)) from err
        self._draft, self._file, self._whole = Path(draft), os.fdopen(handle, "wb"), 0
        self._write(assemble(front, {"head": head(title, ("report",)), "title": escape(title)}))

    @property
    def n_logs(self) -> int:
        """Logs that it holds."""
        return len(self._entries)

    def add(self, result: Classified) -> None:
        """Take what classifying one log gave.

        Parameters
        ----------
        result : Classified
            Such as a ``LogResult`` of ``classify(..., detail=True)``; without its detail no
            features are drawn.
        """
        self._labels.update(one.label for one in result.incidents)
        self._labels.update(one.label for one in result.verdicts)
        if result.verdicts:
            number = len(self._entries)
            kind = 'type="application/octet-stream"'
            self._write(f'<script {kind} id="log-{number}">{pack_json(full(result))}</script>\n')
        self._entries.append(_json(entry(result)))

    def close(self, *, broken_off: bool = False) -> None:
        """Finish the page and put it in place.

        Parameters
        ----------
        broken_off : bool, default False
            Whether logs are missing.
        """
        try:
            self._file.seek(self._whole)  # an interrupt may have left half a log behind
            self._file.truncate()
            parts = {"overview": self._overview(broken_off), "plotly": packed_plotly()}
            parts["script"] = script(_SCRIPTS)
            self._write(assemble(self._tail, parts))
            self._file.close()
            os.chmod(self._draft, file_mode())
            os.replace(self._draft, self._path)
        except OSError as err:
            raise self._unwritable(err.strerror or str(err)) from err
        finally:
            self.discard()

    def discard(self) -> None:
        """Leave no page behind; after `close` it does nothing."""
        self._file.close()
        self._draft.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None and not self._entries:
            self.discard()
        else:
            self.close(broken_off=kind is not None)

    def _overview(self, broken_off: bool) -> str:
        about = self._about
        known = {
            "title": self._title,
            "model": about.model,
            "network": about.network,
            "n_logs": about.n_logs,
            "broken_off": broken_off,
            "dim": about.embedding_dim,
            "stride": about.window.stride * about.window.bin_s * 1000,
            "colours": label_colours(self._labels),
            "examples": examples(about.prototypes),
        }
        text = f'{{"about":{_json(known)},"logs":[{",".join(self._entries)}]}}'
        return pack_bytes(text.encode("utf-8", "backslashreplace"))

    def _write(self, text: str) -> None:
        try:
            self._file.write(text.encode())
            self._file.flush()
        except OSError as err:
            raise self._unwritable(err.strerror or str(err)) from err
        self._whole = self._file.tell()

    def _unwritable(self, why: str) -> TrafficSiameseError:
        return TrafficSiameseError(
            f"{self._path}: the report cannot be written ({why}). "
            "Choose another place, make its folder first, or make room."
        )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
