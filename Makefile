# issbox: `make` alone lists what there is. Everything runs in the virtual environment .venv, made on first use.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help install demo test test-all check bench pictures clean

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r name text; do printf '  make %-9s %s\n' "$$name" "$$text"; done

install: $(STAMP) ## Make .venv with issbox and its tools in it
	@echo "issbox is installed: run $(BIN)/issbox --help"

# A stamp: nothing is asked of the package index while neither the versions nor the project's metadata have changed.
$(STAMP): pyproject.toml constraints.txt packaging/make-environment
	@sh packaging/make-environment "$(PYTHON)" .venv
	@touch $@

demo: $(STAMP) ## Carry a small repository across a gap on this machine and install from it
	@sh packaging/install-debian-packages dnf libglib2.0-0
	@$(BIN)/python demo/crossing.py

test: $(STAMP) ## Run the tests
	@sh packaging/install-debian-packages
	$(BIN)/python -m pytest

test-all: $(STAMP) ## Run the tests, the slow ones too
	@sh packaging/install-debian-packages
	$(BIN)/python -m pytest -m "slow or not slow"

check: $(STAMP) ## Check format, lint, types, floors between modules, and the packages built from here
	$(BIN)/ruff format --check --no-cache
	$(BIN)/ruff check --no-cache
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python packaging/check_wheel.py

bench: $(STAMP) ## Measure import, export, synchronize, certificates and the console against the limits of this machine
	@sh packaging/install-debian-packages rpm openssl xorriso
	@PYTHONPATH=tests $(BIN)/python -m benchmarks.crossing
	@PYTHONPATH=tests $(BIN)/python -m benchmarks.forms
	@PYTHONPATH=tests $(BIN)/python -m benchmarks.importing
	@$(BIN)/python -m benchmarks.certificates
	@sh packaging/install-debian-packages nginx-light
	@PYTHONPATH=tests $(BIN)/python -m benchmarks.web
	@$(BIN)/python -m benchmarks.promotions
	@PYTHONPATH=tests $(BIN)/python -m benchmarks.console

pictures: $(STAMP) ## Make docs/console.md and the pictures of the console from a demo box
	@$(BIN)/python docs/pictures.py

clean: ## Remove the virtual environment and everything generated
	rm -rf .venv build dist ./*.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
