# The doors of the project. `make` prints this help.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

APPS := $(patsubst %/app.py,%,$(wildcard */app.py))
STAGE ?= dev
VENV := .venv
ENGINE_VENV := .venv-engine
PY := $(VENV)/bin/python
UV := $(VENV)/bin/uv
UV_PIN := uv==0.13.9
# Bytecode is kept apart from the code: applications' folders are zipped as they are.
export PYTHONPYCACHEPREFIX := $(CURDIR)/$(VENV)/bytecode
export AWS_EC2_METADATA_DISABLED := true

# Lambda's newest Python that Chalice and this project's checks both know. Chalice takes the runtime from the interpreter.
PYTHON ?= $(shell for p in python3.13 $${PYENV_ROOT:-$$HOME/.pyenv}/versions/3.13*/bin/python3.13 /usr/local/bin/python3.13; do $$p -c '' >/dev/null 2>&1 && echo $$p && break; done)

help: ## Print this help
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# ---- set-up: every door below installs what it needs -------------------------------------------------------------

$(VENV)/.ready: requirements/dev.txt
	@test -n "$(PYTHON)" || { echo "Python 3.13 is needed and was not found. Install it, or name it: make PYTHON=/path/to/python3.13"; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check $(UV_PIN)
	$(UV) pip install --quiet --python $(PY) -r requirements/dev.txt
	@touch $@

$(ENGINE_VENV)/.ready: requirements/engine.txt $(VENV)/.ready
	$(UV) venv --quiet --clear --python $(PYTHON) $(ENGINE_VENV)
	$(UV) pip install --quiet --python $(ENGINE_VENV)/bin/python -r requirements/engine.txt
	@touch $@

setup: $(VENV)/.ready $(ENGINE_VENV)/.ready ## Install everything into .venv and .venv-engine

lock: $(VENV)/.ready ## Choose the newest versions again and write them down
	$(foreach app,$(APPS),$(UV) pip compile --quiet --upgrade --no-header --python-version 3.13 requirements/$(app).in -o $(app)/requirements.txt;)
	$(UV) pip compile --quiet --upgrade --no-header --python-version 3.13 requirements/dev.in -o requirements/dev.txt
	$(UV) pip compile --quiet --upgrade --no-header --python-version 3.13 requirements/engine.in -o requirements/engine.txt

# ---- run ---------------------------------------------------------------------------------------------------------

up: setup ## Run the whole system on this machine until Ctrl-C
	@exec $(PY) -m local up

demo: setup ## Fill the running stack with a small believable world
	@exec $(PY) -m local demo

fire: setup ## Run a handler now: APP=log_service HANDLER=name [EVENT=event.json]
	@exec $(PY) -m local fire "$(APP)" "$(HANDLER)" $(if $(EVENT),--event "$(EVENT)")

local: setup ## `chalice local` of one application against the running stack: APP=log_service
	@exec $(PY) -m local chalice "$(APP)"

clean-state: ## Forget what the local stack kept
	rm -rf .local

# ---- test --------------------------------------------------------------------------------------------------------

DYNAMODB_LOCAL := local/dynamodb_local/node_modules/.ready

$(DYNAMODB_LOCAL): local/dynamodb_local/package-lock.json
	npm ci --prefix local/dynamodb_local --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

test: setup $(DYNAMODB_LOCAL) ## Run all tests
	$(PY) -m pytest

format: $(VENV)/.ready ## Put the code in its one format
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

lint: $(VENV)/.ready
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .

types: $(VENV)/.ready
	$(VENV)/bin/mypy common local log_client bench tests deploy
	$(foreach app,$(APPS),(cd $(app) && MYPYPATH=.. ../$(VENV)/bin/mypy --config-file ../pyproject.toml app.py chalicelib) &&) true

check: lint types test ## What continuous integration runs
	@echo "All checks passed."

bench: setup $(DYNAMODB_LOCAL) ## Measure, each beside its yardstick
	$(PY) -m bench

openapi: $(VENV)/.ready ## Write each application's OpenAPI document to docs/openapi/
	$(foreach app,$(APPS),(cd $(app) && PYTHONPATH=..:. ../$(PY) -c 'import app, json; print(json.dumps(app.document(app.app, app.VERSION, app.contract.SECURITY), indent=2))') > docs/openapi/$(app).json;)

# ---- deploy ------------------------------------------------------------------------------------------------------

package: $(VENV)/.ready ## Build what a release would deploy: APP=log_service [STAGE=dev], into build/
	@$(PY) -m deploy package "$(APP)" "$(STAGE)"

deploy: $(VENV)/.ready ## resources.yaml, then `chalice deploy`: APP=log_service STAGE=dev [PARAMETERS="Name=value ..."]
	@$(PY) -m deploy deploy "$(APP)" "$(STAGE)" $(PARAMETERS)

release: $(VENV)/.ready ## resources.yaml, then package and edge.yaml by CloudFormation: APP= STAGE=prod BUCKET=artefacts
	@$(PY) -m deploy release "$(APP)" "$(STAGE)" --bucket "$(BUCKET)" $(PARAMETERS)

.PHONY: help setup lock up demo fire local clean-state test format lint types check bench openapi package deploy release
