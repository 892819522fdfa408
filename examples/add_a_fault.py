# %% [markdown]
# # Teach a fault with one example
#
# A model says `unknown` of something that you have understood by now. You give it a name and
# one example, from when to when, in one capture. Nothing is trained, it takes less than a second,
# and from then on the same trouble is called by its name, on other networks too.
#
# Run it cell by cell, or as a whole: `python examples/add_a_fault.py`. It takes half a minute.

# %%
from __future__ import annotations

import csv
import os
import tempfile
from datetime import datetime
from pathlib import Path

from traffic_siamese import add_fault, classify, learn_network, start_model
from traffic_siamese.simulation import SimulationPlan, simulate

folder = Path(os.environ.get("EXAMPLE_FOLDER") or tempfile.mkdtemp(prefix="traffic-siamese-"))
print("Everything is written to", folder)

# %% [markdown]
# ## Two networks, one kind of trouble
#
# A mass call: everybody rings the same number, which is busy. The model that ships has never met
# one. Here are two simulated networks, each once in good health and once with a mass call.

# %%
plan = SimulationPlan(faults=("mass_call",), n_networks=2, seed=7)
simulated = simulate(folder / "captures", plan)
names = [str(path.relative_to(folder / "captures")) for path in simulated.captures]
with simulated.labels.open(newline="", encoding="utf-8") as file:
    truth = {row["capture"]: row for row in csv.DictReader(file) if row["label"] == "mass_call"}
first, second = truth
print(f"The mass call is in {first} and {second}")

# %% [markdown]
# ## Before
#
# Both networks introduce themselves with their healthy capture. Then the model is asked.

# %%
model = folder / "model"
start_model(model)
for name in names:
    if "normal" in name:
        learn_network([folder / "captures" / name], model=model, network=name.split("/")[0])


def ask(capture: str) -> list[str]:
    """Return what the model calls the incidents of a capture."""
    (result,) = classify([folder / "captures" / capture], model, network=capture.split("/")[0])
    for incident in result.incidents:
        print(f"{capture}: {incident.label} {incident.confidence:.2f}  {incident.reason}")
    return [incident.label for incident in result.incidents]


before = [ask(capture) for capture in truth]

# %% [markdown]
# ## The example
#
# You know when it happened: here from the simulation, in life from a ticket or from the incident
# page. On the command line:
#
# ```
# traffic-siamese faults add mass_call FILE --start 11:02:07 --end 11:04:17 \
#     --model model --network network-1
# ```
#
# The answer says what the new fault may be confused with. Take that seriously: if it says *often*,
# either the two are one trouble (`--more` adds an example to a fault that is known), or the times
# are wrong.


# %%
def nanoseconds(text: str) -> int:
    """Read an RFC 3339 time as nanoseconds since 1970."""
    return round(datetime.fromisoformat(text).timestamp() * 1e9)


row = truth[first]
added = add_fault(
    "mass_call",
    folder / "captures" / first,
    nanoseconds(row["start"]),
    nanoseconds(row["end"]),
    model=model,
    network=first.split("/")[0],
)
print(f"Kept {added.n_prototypes} windows as examples.", added.forecast.words())

# %% [markdown]
# ## After
#
# The question is not the capture that was shown, but the other network.

# %%
after = [ask(capture) for capture in truth]
print(f"{second}: {', '.join(before[1])} before, {', '.join(after[1])} now")

# %% [markdown]
# `traffic-siamese faults list --model model` shows what a model knows, `faults show mass_call` the
# examples, `faults remove mass_call` forgets them. Examples are kept as they were measured, so a
# model that is trained again learns them anew.
