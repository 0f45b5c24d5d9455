# Everything that one does with this project. The work itself stands in scripts/, so that it can be
# read and run without make. A fresh Debian needs only Python >= 3.11 and make.

PYTHON ?= python3
VENV := .venv

# A stamp says "done for this pyproject.toml"; the tools that a stamp stands for live beside it, so
# deleting the environment deletes its stamps.
PACKAGE := $(VENV)/.stamps/package
TOOLS := $(VENV)/.stamps/tools

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help demo test check bench format clean

help: ## Show this list
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: $(PACKAGE) ## Set up and run the demo application; Ctrl-C ends it
	@exec $(VENV)/bin/fluxlit demo

test: $(TOOLS) ## Set up and run everything: format, lint, types, layers, all tests
	@scripts/system-packages chromium-headless-shell nginx caddy haproxy wrk fonts node npm
	@scripts/openid-provider
	@scripts/check
	@scripts/test

check: $(TOOLS) ## The static part alone: format, lint, types, layers
	@scripts/check

bench: $(TOOLS) ## Set up and run the benchmark; prints ratios. ARGS=--quick for a short look
	@scripts/system-packages wrk nginx chromium-headless-shell fonts
	@exec $(VENV)/bin/python -m benchmarks $(ARGS)

format: $(TOOLS) ## Rewrite the sources into the agreed form
	@$(VENV)/bin/ruff format src tests benchmarks examples
	@$(VENV)/bin/ruff check --fix-only src tests benchmarks examples

clean: ## Remove the environment, caches and built files
	rm -rf $(VENV) .bench .cache .mypy_cache .pytest_cache .ruff_cache .import_linter_cache dist
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

$(PACKAGE): pyproject.toml scripts/python-environment
	@PYTHON="$(PYTHON)" scripts/python-environment $(VENV)
	@touch $@

$(TOOLS): $(PACKAGE)
	@PYTHON="$(PYTHON)" scripts/python-environment $(VENV) --group dev
	@touch $@
