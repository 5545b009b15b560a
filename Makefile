# Vestibule. `make` lists the targets.
.DEFAULT_GOAL := help
PYTHON ?= python3.11
BIN := .venv/bin
INSTALLED := .venv/.installed

.PHONY: help up check test drill bench lock clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-8s %s\n", $$1, $$2}'

$(INSTALLED): requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

up: $(INSTALLED) ## Start everything on this machine; Ctrl-C stops it
	@$(BIN)/vestibule up

check: $(INSTALLED) ## Format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: $(INSTALLED) ## Run all tests, the browser's included
	$(BIN)/pytest

drill: $(INSTALLED) ## Opening day on this machine; writes build/drill/report.html
	@$(BIN)/vestibule drill

bench: $(INSTALLED) ## Measure; writes build/bench.json. ONLY=edge runs one part
	@$(BIN)/vestibule bench $(if $(ONLY),--only $(ONLY))

lock: ## Pin every dependency by hash, without any registry's address (needs uv)
	uv pip compile --python-version 3.11 --universal --all-extras --generate-hashes --no-emit-index-url --no-header --quiet pyproject.toml -o requirements.lock

clean: ## Remove what was built; not the data in build/local
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis build/drill build/bench.json
