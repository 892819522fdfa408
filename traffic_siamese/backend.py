"""Keras, imported without TensorFlow's start-up messages.

TensorFlow 2.21 writes some of them before any of its settings is read, straight to file
descriptor 2, so that only turning the descriptor away for the time of the import keeps a command's
progress readable. What was written is shown after all if the import fails.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from traffic_siamese.errors import MissingExtraError

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read once, when TensorFlow is imported


@contextmanager
def _muted() -> Iterator[None]:
    sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:  # a process without standard error has nothing to mute
        yield
        return
    with tempfile.TemporaryFile() as sink:
        os.dup2(sink.fileno(), 2)
        try:
            yield
        except BaseException:
            sink.seek(0)
            os.write(kept, sink.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


try:
    with _muted():
        import keras
        from keras import ops
except ModuleNotFoundError as error:
    raise MissingExtraError(
        f"training needs {error.name}, which is not installed; "
        "install it with: pip install 'traffic-siamese[train]'"
    ) from error

__all__ = ["keras", "ops"]
