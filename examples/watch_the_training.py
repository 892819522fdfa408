# %% [markdown]
# # Train a model, and watch it learn
#
# You have captures of your own network in which you have marked what was wrong. Training looks for
# a space in which windows of one trouble lie together and those of different troubles lie apart;
# you can watch it.
#
# Run it cell by cell, or as a whole: `python examples/watch_the_training.py`. It needs the extra
# (`pip install "traffic-siamese[train]"`) and takes a minute. `EPOCHS=40` trains in earnest, which
# takes two minutes more; five epochs are enough to see it begin.

# %%
from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path

from traffic_siamese import classify, film, learn_network, train
from traffic_siamese.fitting import FitOptions
from traffic_siamese.keeper import EpochReport

data = Path(__file__).resolve().parents[1] / "data" if "__file__" in globals() else Path("data")
folder = Path(os.environ.get("EXAMPLE_FOLDER") or tempfile.mkdtemp(prefix="traffic-siamese-"))
epochs = int(os.environ.get("EPOCHS", "5"))
print("Everything is written to", folder)

# %% [markdown]
# ## Captures and labels
#
# A folder of captures, and a table that says what they show: which capture, from when to when,
# what. What no line covers is not used. Normal traffic is a label as well, and the most important
# one: everything is measured against it.

# %%
labels = data / "train.csv"
print("\n".join(labels.read_text(encoding="utf-8").splitlines()[:5]))

# %% [markdown]
# ## Training
#
# On the command line: `traffic-siamese train data --labels data/train.csv --model model`, and in
# another window `traffic-siamese watch model`, which shows the points as they move. In a program,
# a function of yours is told after each epoch. *Separation* is how many times farther apart windows
# of two labels are than windows of one.

# %%
curve: list[float] = []


def tell(epoch: EpochReport) -> None:
    """Print a line, and remember the separation."""
    curve.append(epoch.separation)
    bar = "#" * round(3 * epoch.separation)
    print(f"epoch {epoch.epoch:2}/{epoch.n_epochs}  separation {epoch.separation:4.1f}  {bar}")


options = FitOptions()
options = replace(options, training=replace(options.training, epochs=epochs))
report = train(data, labels, folder / "model", options=options, progress=tell)
for warning in report.warnings:
    print("Note:", warning)
print(f"{report.summary}; {report.held_out_accuracy:.0%} right on captures kept out of training")

# %% [markdown]
# ## The film
#
# One page, to be opened in a browser: each point is a window of 32 seconds, each colour a label,
# each frame an epoch. On the command line: `traffic-siamese film model -o separation.html`.

# %%
made = film(folder / "model", folder / "separation.html")
print(f"Open {made.path}: {made.n_points} windows, {made.n_frames} frames")

# %% [markdown]
# ## Does it know what it has not seen?
#
# Network C is another one, over another transport, and none of its captures was trained on.

# %%
learn_network([data / "C" / "normal-1.pcap.zst"], model=folder / "model", network="C")
for result in classify([data / "C" / "blocked-1.pcap.zst"], folder / "model", network="C"):
    for incident in result.incidents:
        print(f"{Path(result.log).name}: {incident.label} {incident.confidence:.2f}")
