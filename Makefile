# `make run` and `make test` set up what they need: make and Python 3.12 or newer are enough.
#   ARGS=...    more arguments for what a target starts:  make test ARGS="-k room"
#   PYTHON=...  the Python to set up with, VENV=... the folder:  make test PYTHON=python3.12 VENV=.venv-3.12

VENV := .venv
ARGS :=
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# uv where it works, venv and pip elsewhere: both install just what requirements.lock says, with its bytecode.
WITH_UV := uv --version >/dev/null 2>&1 && \
  uv venv --quiet --python "$$python" $(VENV) && \
  uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r requirements.lock && \
  uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
WITH_PIP := "$$python" -m venv --clear $(VENV) && \
  $(BIN)/python -m pip install --quiet --disable-pip-version-check --compile --require-hashes -r requirements.lock && \
  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
export UV_PYTHON_DOWNLOADS := never

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

# The stamp comes last, so that an installation that was cut short is made anew.
$(STAMP): requirements.lock pyproject.toml .ci/find-python
	@rm -rf $(VENV)
	@python=$$(sh .ci/find-python) || exit; echo "Setting up $(VENV) with $$python"; ($(WITH_UV)) || ($(WITH_PIP))
	@touch $@

install: $(STAMP)  ## set up .venv
	@$(BIN)/python -m compileall -q src

run: install  ## start a server on port 12345
	@$(BIN)/asynchat serve --port 12345 $(ARGS)

test: install  ## run the tests
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 $(ARGS)

check: install  ## check format, lint and types
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check
	@$(BIN)/mypy

format: install  ## format the code, and mend what the linter can
	@$(BIN)/ruff check --fix-only
	@$(BIN)/ruff format

irctest: install  ## run the IRC conformance suite (IRCTEST=<checkout of progval/irctest>)
	@IRCTEST_BIN="$${IRCTEST_BIN:-$(CURDIR)/$(BIN)/asynchat}" IRCTEST="$(IRCTEST)" $(or $(IRCTEST_PYTHON),python3) tests/irctest/run $(ARGS)

crash: install  ## kill the server again and again, and see what it has kept (ARGS="--kills 60")
	@$(BIN)/python tests/crash/run $(ARGS)

bench: install  ## measure everything for hours, and write docs/performance.md (ARGS=--quick to try)
	@$(BIN)/python tests/bench/run $(ARGS)

docs: install  ## write docs/reference and the man page anew
	@$(BIN)/python -m asynchat.cli.pages.reference > docs/reference/settings.md
	@$(BIN)/python -m asynchat.cli.pages.manual > docs/reference/cli.md
	@$(BIN)/python -m asynchat.cli.pages.manpage > docs/asynchat.1
	@$(BIN)/python docs/reference/api.py > docs/reference/api.md

lock:  ## bring requirements.lock up to date with pyproject.toml (needs uv; ARGS=--upgrade for new versions)
	@python=$$(sh .ci/find-python) && uv pip compile --quiet --python "$$python" \
	  --universal --python-version 3.12 --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --custom-compile-command "make lock" --group dev --group build $(ARGS) pyproject.toml -o requirements.lock

clean:  ## remove .venv and what the tools left behind
	@rm -rf $(VENV) build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@find src tests -name __pycache__ -prune -exec rm -rf {} +

.PHONY: help install run test check format irctest crash bench docs lock clean
