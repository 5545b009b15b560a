# Vestibule. `make` lists the targets.
.DEFAULT_GOAL := help
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
INSTALLED := .venv/.installed
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --no-input

.PHONY: help up check test drill bench texts lock clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-8s %s\n", $$1, $$2}'

# .venv/.lock is the lock that is installed: packages are fetched again only when its content differs.
$(INSTALLED): requirements.lock pyproject.toml
	@test -x $(BIN)/pip || { \
	  "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	    || { echo "Vestibule needs Python 3.11 or newer; name it with make PYTHON=/path/to/python3.11" >&2; exit 1; }; \
	  "$(PYTHON)" -m venv --clear .venv \
	    || { echo "Vestibule needs Python's venv; on Debian: apt-get install python3-venv" >&2; exit 1; }; }
	@cmp -s requirements.lock .venv/.lock \
	  || { echo "Installing what requirements.lock names; the first time this takes a minute or two" \
	    && $(PIP) install --require-hashes -r requirements.lock && cp requirements.lock .venv/.lock; }
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

up: $(INSTALLED) ## Start everything on this machine; Ctrl-C stops it
	@$(BIN)/vestibule up

check: $(INSTALLED) ## Format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: $(INSTALLED) ## Run all tests, the browser's included
	$(BIN)/python -m deploy.browser
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder

drill: $(INSTALLED) ## Opening day on this machine; writes build/drill/report.html
	@$(BIN)/vestibule drill

bench: $(INSTALLED) ## Measure; writes build/bench.json. ONLY=edge runs one part
	@$(BIN)/vestibule bench $(if $(ONLY),--only $(ONLY))

texts: $(INSTALLED) ## Gather every text that is shown into the catalogues, for translating
	$(BIN)/python -m deploy.translations

lock: ## Pin every dependency by hash, without any registry's address (needs uv)
	uv pip compile --python-version 3.11 --universal --all-extras --generate-hashes --no-emit-index-url --no-header --quiet pyproject.toml -o requirements.lock

clean: ## Remove what was built; not the data in build/local
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis build/drill build/bench.json
