# Fotofinish: `make demo` shows it, `make test` checks it, `make bench` measures it.

PYTHON ?= python3
PORT ?= 8000
PHOTOS ?=
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
LOCKED := --require-hashes --no-deps

.PHONY: help demo test lint bench lock install install-dev system-packages clean

help: ## what can be made
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

install: .venv/installed ## make .venv with what Fotofinish needs to run

install-dev: .venv/installed-dev ## make .venv with what the tests need as well

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Fotofinish needs Python 3.11 or later; name one with: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv .venv || \
		{ echo "The venv module is missing. On Debian or Ubuntu: apt-get install python3-venv"; exit 1; }

.venv/installed: requirements.lock pyproject.toml | .venv/bin/python
	@echo "Installing what Fotofinish needs into .venv (a few minutes the first time) ..."
	@$(PIP) install $(LOCKED) -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --no-index --editable .
	@touch $@

.venv/installed-dev: requirements-dev.lock pyproject.toml | .venv/bin/python
	@echo "Installing what the tests need into .venv (a few minutes the first time) ..."
	@$(PIP) install $(LOCKED) -r requirements-dev.lock
	@$(PIP) install --no-deps --no-build-isolation --no-index --editable .
	@touch $@ .venv/installed

demo: .venv/installed ## everything embedded, with sample photos; PHOTOS=folder for your own
	@$(BIN)/python -m fotofinish.demo.run --port $(PORT) $(if $(PHOTOS),--photos "$(PHOTOS)")

lint: .venv/installed-dev ## style and types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

# three at a time: where one waits for a browser or a server, another computes; files in their order, so that long ones are not last
test: .venv/installed-dev system-packages lint ## everything that is checked
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest --numprocesses 3 --dist loadscope --no-loadscope-reorder

bench: .venv/installed-dev system-packages ## every benchmark, one table a subject
	@$(BIN)/python -m benchmarks

# the headless shell is the same engine without a desktop around it: a window takes a third of the time
system-packages: ## what the browser tests need from the system
	@command -v chromium-headless-shell >/dev/null || { \
		[ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
		echo "Installing chromium-headless-shell for the browser tests ..." && \
		{ apt-get -qq update; apt-get -qq install -y --no-install-recommends \
			chromium-headless-shell fonts-dejavu-core >/dev/null; }; \
	} || command -v chromium >/dev/null || { \
		[ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
		apt-get -qq install -y --no-install-recommends chromium fonts-dejavu-core >/dev/null; \
	} || { echo "The browser tests need Chromium. On Debian: sudo apt-get install chromium-headless-shell"; exit 1; }

lock: .venv/installed-dev ## resolve the lock files anew (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links --extra install --extra demo \
		pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links --extra install --extra demo --extra dev \
		pyproject.toml -o requirements-dev.lock

clean: ## remove .venv and the demo's data
	rm -rf .venv demo-data
