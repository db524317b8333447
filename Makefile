# Two commands do all set-up: `make demo` runs Deputy, `make test` runs its tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test check bench torture lock clean

demo: $(VENV)/.ready
	@$(BIN)/deputy demo

test: $(VENV)/.ready-test
	$(BIN)/python -m pytest $(PYTEST_ARGS)

check: $(VENV)/.ready-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deputy check

bench: $(VENV)/.ready-test
	$(BIN)/python -m tests.bench.local
	$(BIN)/python -m tests.bench.many
	$(BIN)/python -m tests.bench.slack
	$(BIN)/python -m tests.bench.policy
	$(BIN)/python -m tests.bench.vote

torture: $(VENV)/.ready-test
	$(BIN)/python -m tests.torture

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Deputy needs Python 3.11 or newer; name one with make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.ready: requirements.lock pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.ready-test: tests/requirements.lock $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --require-hashes -r tests/requirements.lock
	@touch $@

# Needs uv on the PATH; the locks carry hashes and no address of an index.
lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links --extra build --extra demo -o requirements.lock pyproject.toml
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links --extra build --extra demo --extra test -o tests/requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) .deputy .pytest_cache .mypy_cache .ruff_cache
