# Coconut's commands. They need only Python 3.11+, make and git.
# Paths are relative, so that the checkout may lie in any folder, even one with a space in its name.

PYTHON ?= python3
python := .venv/bin/python
npm_stamp := node_modules/.installed
locks := requirements.txt requirements-demo.txt requirements-dev.txt requirements-node.txt requirements-uv.txt

# uv takes a tenth of pip's time. pip is the fallback if uv is not set up for this machine's network.
install = { $(python) -m uv pip install --quiet --require-hashes --python $(python) -r $(1) || \
	$(python) -m pip install --quiet --require-hashes -r $(1); }

# Tests and the demo start many programs. Without cached bytecode, each compiles Django and Celery: five seconds.
# Containers often forbid the cache, so that it doesn't get into images; .local/ is in no image.
ifdef PYTHONDONTWRITEBYTECODE
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX ?= $(CURDIR)/.local/bytecode
endif

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-setup demo-reset demo-shell email-pictures test test-setup test-appointments test-faults test-integrations test-pages test-rest lint lock bench clean

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

demo: demo-setup ## Run everything with a simulated Microsoft 365 (PORT, SIMULATOR_PORT)
	@$(python) -m demo.run

demo-reset: .venv/.demo ## Remove the demo's data
	@$(python) -m demo.reset

email-pictures: ## Write the pictures of docs/emails.md, next to the running demo
	@set -a && . ./.local/demo/environment && exec $(python) manage.py email_pictures

demo-shell: ## Open a Django shell next to the running demo
	@set -a && . ./.local/demo/environment && exec $(python) manage.py shell

test: test-setup ## Check style, types and behaviour; with ARGS, only run pytest with them
	@$(if $(ARGS),$(python) -m pytest $(ARGS),\
		$(MAKE) --no-print-directory --keep-going $(output_sync) -j3 \
		lint test-faults test-pages test-integrations test-appointments test-rest)

# Three parts run at a time, each with its own servers. Fault tests and browser tests come first: they wait a lot, and a
# third process uses that time on two cores. More at a time make tests miss their limits.
# A log shows one part after the other; a terminal shows all parts live.
output_sync := $(if $(MAKE_TERMOUT),,$(if $(filter output-sync,$(.FEATURES)),--output-sync=target))
faults := tests/faults tests/demo tests/local_servers tests/test_backup.py
pages := tests/article tests/journeys
test-faults:
	$(python) -m pytest $(faults)

test-pages:
	$(python) -m pytest $(pages)

test-appointments:
	$(python) -m pytest tests/appointments

test-integrations:
	$(python) -m pytest tests/integrations

test-rest:
	$(python) -m pytest $(patsubst %,--ignore=%,$(faults) $(pages) tests/appointments tests/integrations)

lint: .venv/.dev ## Check style, language and types only
	$(python) -m ruff check .
	$(python) -m ruff format --check .
	$(python) .ci/language.py
	$(python) -m mypy

bench: test-setup ## Measure (each script in bench/ prints its own numbers)
	@missed=0; for script in bench/*.py; do echo "== $$script"; $(python) "$$script" || missed=1; done; exit $$missed

setup: test-setup ## Install the packages of demo and test if their locks have changed

# The two downloads run in parallel.
demo-setup:
	@$(MAKE) --no-print-directory -j2 .venv/.demo $(npm_stamp)

test-setup:
	@$(MAKE) --no-print-directory -j2 .venv/.dev $(npm_stamp)
	@sh .ci/chromium

.venv/.made: requirements-uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Coconut needs Python 3.11 or newer; name it with PYTHON=python3.x")'
	@echo "Making .venv ..."
	@$(PYTHON) -m venv .venv >/dev/null 2>&1 || sh .ci/venv "$(PYTHON)"
	@$(python) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.txt
	@touch $@

.venv/.demo: requirements-demo.txt .venv/.made
	@echo "Installing Python packages ..."
	@$(call install,requirements-demo.txt)
	@touch $@

.venv/.dev: requirements-dev.txt .venv/.made
	@echo "Installing Python packages ..."
	@$(call install,requirements-dev.txt)
	@touch $@

# If the machine has no npm, install one into .venv.
$(npm_stamp): package-lock.json $(if $(shell command -v npm),,.venv/.node)
	@echo "Installing browser libraries ..."
	@PATH="$$PATH:$(CURDIR)/.venv/bin" npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

.venv/.node: requirements-node.txt .venv/.made
	@$(call install,requirements-node.txt)
	@touch $@

lock: .venv/.made ## Update the lock files from pyproject.toml and package.json
	@set -e; compile() { target="$$1"; shift; \
		$(python) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
		--custom-compile-command "make lock" --output-file "$$target" "$$@"; }; \
	compile requirements-dev.txt pyproject.toml --extra demo --extra dev $(UPGRADE); \
	compile requirements-demo.txt pyproject.toml --extra demo --constraint requirements-dev.txt; \
	compile requirements.txt pyproject.toml --constraint requirements-dev.txt; \
	compile requirements-node.txt --group node $(UPGRADE); \
	compile requirements-uv.txt --group uv $(UPGRADE)
	npm install --package-lock-only --ignore-scripts

clean: ## Remove everything that the commands made, except the demo's data
	rm -rf .local/bytecode .local/tests .venv node_modules staticfiles test-results .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
