# `make run` opens the first lesson; `make test` runs every check. Both set up .venv by themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN_STAMP := $(VENV)/.installed
DEV_STAMP := $(VENV)/.installed-dev
LOWEST := $(VENV)/lowest
LOWEST_STAMP := $(LOWEST)/.installed
OLDEST := import tomllib; print(*(need.partition(",")[0].replace(">=", "==") \
  for need in tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"]))

.PHONY: run test test-lowest format bench screenshots conformance differential fuzz laws mutants coverage clean

run: $(RUN_STAMP)
	@$(BIN)/wireside

test: $(DEV_STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	PYTHONPATH=app $(BIN)/lint-imports
	$(BIN)/pytest -n auto
	$(BIN)/wireside check

# What touches the libraries, with the oldest versions of them that pyproject.toml allows.
test-lowest: $(LOWEST_STAMP)
	$(LOWEST)/bin/pytest -x -n 2 tests/tui tests/paint tests/scenario tests/out tests/sim/test_env.py tests/sim/test_world.py \
	  --ignore=tests/out/test_still.py

format: $(DEV_STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(DEV_STAMP)
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev,bench]'
	$(BIN)/python -m tests.bench

screenshots: $(DEV_STAMP)
	$(BIN)/python -m wireside.out.still screenshots

conformance: $(DEV_STAMP)
	$(BIN)/python -m tests.groundtruth

# Random stories on this machine's own kernel and in the simulator; needs Linux 6.18, and root or user namespaces.
differential: $(DEV_STAMP)
	$(BIN)/python -m tests.differential all

# Hostile files, runs, worlds, command lines, knobs, keys, recordings and time travel, for as long as SECONDS says; SEED is the first case's number.
SECONDS ?= 600
SEED ?= 1000000
fuzz: $(DEV_STAMP)
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS) --seed $(SEED)

# The laws of time travel, each over CASES random stories, knobs and ways; `make test` plays the first of them.
CASES ?= 1000
laws: $(DEV_STAMP)
	CASES=$(CASES) $(BIN)/pytest -n auto tests/property/test_time_travel.py

# Small changes of the catalog and of TCP, each tried against the tests that concern it; the survivors are printed.
MUTANTS ?= 64
COVERED_BY := tests/catalog tests/kernel tests/scenario tests/tools tests/life tests/calls tests/wire
mutants: $(DEV_STAMP)
	$(BIN)/python -m tests.mutants --count $(MUTANTS)

# Which branches of the model, the scenarios and the tools the tests take; fails below the floor in pyproject.toml.
coverage: $(DEV_STAMP)
	$(BIN)/pytest --cov --cov-report=term:skip-covered $(COVERED_BY)

clean:
	rm -rf $(VENV) build dist

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Wireside needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>/dev/null || echo 'not there')."; \
	  echo "Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "Python's venv module is missing or incomplete; on Debian and Ubuntu: apt install python3-venv"; \
	  rm -rf $(VENV); exit 1; }

$(RUN_STAMP): pyproject.toml | $(BIN)/python
	@echo "Installing Wireside into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(DEV_STAMP): pyproject.toml | $(BIN)/python
	@echo "Installing Wireside and its development tools into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@ $(RUN_STAMP)

$(LOWEST_STAMP): pyproject.toml | $(BIN)/python
	@echo "Installing Wireside and the oldest libraries it works with into $(LOWEST) …"
	@$(BIN)/python -m venv $(LOWEST)
	@$(LOWEST)/bin/pip install --quiet --disable-pip-version-check \
	  $$($(BIN)/python -c '$(OLDEST)') -e . hypothesis pyte pytest pytest-xdist
	@touch $@
