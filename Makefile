# Needs Python 3.11 or newer, and make. Everything is installed into .venv.

PYTHON ?= python3
VENV ?= .venv
JOBS ?= 2
CONSTRAINTS ?= constraints.txt
BIN = $(VENV)/bin
INSTALL = $(BIN)/python -m pip install -qq $(addprefix --constraint ,$(CONSTRAINTS))

.DEFAULT_GOAL = help
.PHONY: help setup demo test format lint types bench lock readme pictures pretrained clean

help:
	@echo "make demo    train on the captures in data/, classify another network, write its pages"
	@echo "make test    lint, types and tests, as continuous integration runs them"
	@echo "make setup   .venv with the package (editable) and all development tools"
	@echo "make format | lint | types | bench | lock | readme | pictures | clean"

setup: $(VENV)/dev.stamp

$(VENV)/python.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$(PYTHON) is older than 3.11; name a newer one: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) --upgrade "pip>=25.1"
	@touch $@

# The kernel is compiled when the package is installed: again when its source changed.
$(VENV)/train.stamp: $(VENV)/python.stamp pyproject.toml setup.py $(CONSTRAINTS) $(wildcard traffic_siamese/native/*.[ch])
	$(INSTALL) --editable ".[train]"
	@touch $@

$(VENV)/dev.stamp: $(VENV)/train.stamp
	$(INSTALL) --group dev
	@touch $@

demo: $(VENV)/train.stamp
	@$(BIN)/python examples/demo.py

test: lint types
	$(BIN)/python -m pytest -n $(JOBS)

format: $(VENV)/dev.stamp
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/dev.stamp
	$(BIN)/mypy

bench: $(VENV)/dev.stamp
	$(INSTALL) --group bench
	$(BIN)/python benchmarks/capture_speed.py data/A/blocked-1.pcap.zst

lock: $(VENV)/dev.stamp
	{ sed -n '/^#/p' constraints.txt; $(BIN)/python -m pip freeze --all --exclude-editable \
	  --exclude pip --exclude wheel; } > $(VENV)/constraints.txt
	mv $(VENV)/constraints.txt constraints.txt

# Run what the README shows, paste what it prints, and keep the demo's two pages.
readme: $(VENV)/train.stamp
	$(BIN)/python examples/refresh_readme.py

# The pictures of README and tutorial, from the real pages.
pictures: $(VENV)/dev.stamp
	$(BIN)/python examples/make_pictures.py

# The model that ships: LOGS holds labels.csv and the captures of three networks that it names.
pretrained: $(VENV)/train.stamp
	rm -rf traffic_siamese/pretrained
	$(BIN)/traffic-siamese train $(LOGS) --labels $(LOGS)/labels.csv \
	  --model traffic_siamese/pretrained --seed 0

clean:
	rm -rf build dist demo *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find traffic_siamese tests -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -f traffic_siamese/native/kernel.so $(VENV)/*.stamp
