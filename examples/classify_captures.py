# %% [markdown]
# # Say what was wrong in a capture
#
# You have captures of last night, and a model. In three steps: look at a capture, let the model
# learn what is normal on this network, and have the captures classified.
#
# Read it as a page, run it cell by cell (Jupyter, VS Code, Spyder know the `# %%` marks), or as a
# whole: `python examples/classify_captures.py`. It takes half a minute, needs no TensorFlow, and
# leaves your own files alone.

# %%
from __future__ import annotations

import csv
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from traffic_siamese import classify, learn_network, read_series, start_model
from traffic_siamese.simulation import SimulationPlan, simulate

folder = Path(os.environ.get("EXAMPLE_FOLDER") or tempfile.mkdtemp(prefix="traffic-siamese-"))
print("Everything is written to", folder)

# %% [markdown]
# ## Captures
#
# Use your own: any pcap or pcapng with SIP, Diameter, GTP-C or the like in it. So that this page
# runs anywhere, it simulates some: a SIP network of which the model has never seen a packet, once
# in good health, and three times with a fault in the middle. (The captures in `data/` would be too
# easy: the model that ships was trained on them.)

# %%
plan = SimulationPlan(faults=("latency", "auth_failure", "mass_call"), n_networks=1, seed=7)
simulated = simulate(folder / "captures", plan)
captures = [str(path) for path in simulated.captures]
calm = captures[0]
print("\n".join(captures))

# %% [markdown]
# ## 1. Look at a capture
#
# Each second becomes 95 numbers. `traffic-siamese inspect FILE` tells what is in a capture and
# whether it is long enough; from Python, the numbers are an array.

# %%
series = read_series(calm).series[0]
answers = series.feature_names.index("from_service_answer_success")
print(f"{len(series.values)} seconds of {len(series.feature_names)} features")
print(f"{series.values[:, answers].mean():.1f} calls or registrations succeed each second")

# %% [markdown]
# ## 2. What is normal here?
#
# The model that ships knows eleven kinds of trouble and the word *normal*, but not this network.
# A few minutes of healthy traffic are enough; on the command line:
#
# ```
# traffic-siamese init model
# traffic-siamese baseline calm.pcap --model model --network lab
# ```

# %%
model = folder / "model"
start_model(model)
learned = learn_network([calm], model=model, network="lab")
steady = "enough" if learned.steadiness.is_enough else "enough to begin with; more is better"
print(f"Learned the normal of this network from {learned.n_bins} seconds: {steady}.")

# %% [markdown]
# ## 3. What was wrong, and when?
#
# On the command line: `traffic-siamese classify captures/ --model model --network lab`, with
# `--report report.html` for a page to look at. Each incident has a start, an end, a name, a
# confidence, and the reason in words.


# %%
def clock(time_ns: int) -> str:
    """Write a time of day, UTC."""
    return f"{datetime.fromtimestamp(time_ns / 1e9, UTC):%H:%M:%S}"


found = list(classify(captures, model, network="lab"))
for result in found:
    print(Path(result.log).name)
    for incident in result.incidents:
        span = f"{clock(incident.start_ns)}–{clock(incident.end_ns)}"
        print(f"    {span}  {incident.label} {incident.confidence:.2f}  {incident.reason}")
    if not result.incidents:
        print("    nothing")

# %% [markdown]
# ## Was that right?
#
# Whoever simulates knows the truth. The mass call (a show has asked everybody to ring one number)
# is not among what the model was taught, so the right answer to it is **unknown**: something is
# wrong here, and it looks like nothing I know. What to do then is the next page,
# `examples/add_a_fault.py`.

# %%
with simulated.labels.open(newline="", encoding="utf-8") as file:
    done = {row["capture"]: row for row in csv.DictReader(file) if row["label"] != "normal"}
for capture, row in done.items():
    print(f"{capture}: {row['label']} from {row['start'][11:19]} to {row['end'][11:19]}")
