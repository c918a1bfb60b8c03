# `make` alone prints this list. Nothing is installed outside .venv but a Docker engine and mmdebstrap, and only where
# none is there; each says so first.
PYTHON ?= python3
VENV := .venv
WSB := $(VENV)/bin/wsb
EXAMPLE := examples/digits

.DEFAULT_GOAL := help
.PHONY: help venv engine demo test lint unit golden bench clean

help:  ## Print this list.
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/installed: pyproject.toml
	@echo "== making $(VENV) with wsb and its development tools in it"
	@$(PYTHON) -m venv $(VENV) || { echo "hint: apt-get install python3-venv" >&2; exit 1; }
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]' 2>&1 | grep -v "^WARNING: Location" || true
	@$(VENV)/bin/python -c 'import builder, pytest, docker'
	@$(VENV)/bin/python -m compileall -q builder  # else every start compiles anew where PYTHONDONTWRITEBYTECODE is set
	@touch $@

venv: $(VENV)/installed  ## Make .venv with wsb in it.

engine:
	@$(PYTHON) tests/support/engine.py --mmdebstrap

demo: venv engine  ## Build the example, test it and train it, from nothing.
	@echo "== building the workspace of $(EXAMPLE): wsb build --fallback"
	@$(WSB) -C $(EXAMPLE) build --fallback
	@echo "== asking the image whether it is what was planned: wsb test --quick"
	@$(WSB) -C $(EXAMPLE) test --quick
	@echo "== training inside the container: wsb run -- python train.py"
	@$(WSB) -C $(EXAMPLE) run -- python train.py --min-accuracy 0.95
	@echo
	@echo "That ran in a container that wsb planned, built and tested. What to do next:"
	@echo "  $(WSB) -C $(EXAMPLE) shell           a shell in it"
	@echo "  $(WSB) -C $(EXAMPLE) test            every smoke test"
	@echo "  $(WSB) -C $(EXAMPLE) explain         why these versions, and the chain from IDE to GPU"
	@echo "  $(WSB) -C YOUR/PROJECT plan          the same for a project of yours: README.md, \"Your own project\""

test: venv engine  ## Everything: linters, types, unit, golden and engine tests.
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy builder
	$(VENV)/bin/lint-imports
	$(VENV)/bin/python -m pytest

lint: venv
	$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check . && $(VENV)/bin/mypy builder && $(VENV)/bin/lint-imports

unit: venv  ## The tests that need no engine.
	$(VENV)/bin/python -m pytest -m "not engine" tests/unit tests/data tests/golden

golden: venv  ## Write the golden Dockerfiles anew; read the diff.
	WSB_WRITE_GOLDEN=1 $(VENV)/bin/python -m pytest -q tests/golden

bench: venv engine  ## Measure builds against hand-written Dockerfiles and envd (an hour; BENCH='--runs 1' or --torch cuda, see tests/bench).
	$(WSB) -C $(EXAMPLE) build --fallback --no-test >/dev/null  # the base that everybody starts from
	$(VENV)/bin/python -m pip install --quiet --editable '.[bench]'
	$(VENV)/bin/python -m tests.bench $(BENCH)

clean:  ## Remove .venv and caches.
	rm -rf $(VENV) .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
