# Two words do: `make run` (the service, SQLite, no accounts) and `make test`.
PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin

.PHONY: install run demo check test bench prove clients lock docs clean
.DEFAULT_GOAL := help

help:
	@echo "make run | demo | test | check | bench | prove | clients | install | docs | lock"

# $(1): the lock file. uv is used when present: it is the same lock, only faster.
define install_from
@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
@if command -v uv >/dev/null; then \
	uv pip install --quiet --python $(BIN)/python --require-hashes -r $(1) && \
	uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .; \
else \
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $(1) && \
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .; \
fi
@touch $@
endef

$(VENV)/.runtime: requirements.lock pyproject.toml
	$(call install_from,requirements.lock)

$(VENV)/.dev: requirements-dev.lock pyproject.toml
	$(call install_from,requirements-dev.lock)
	@touch $(VENV)/.runtime

install: $(VENV)/.dev

run: $(VENV)/.runtime
	@PORT=$(PORT) exec $(BIN)/pointsman serve

demo: $(VENV)/.runtime
	@$(BIN)/python -m examples.monolith.demo

check: $(VENV)/.dev
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/pytest tests/test_architecture.py

test: check
	$(BIN)/pytest -n auto --dist worksteal

bench: $(VENV)/.dev  ## ratios of things run in turn; writes benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks.bench

prove: $(VENV)/.dev  ## what is too slow or too absolute for CI; writes docs/proofs/
	$(BIN)/python -m benchmarks.prove

clients: $(VENV)/.dev  ## real clients, of PyPI and npm, against the service; writes docs/clients.md
	$(BIN)/python -m tests.clients.run

docs: $(VENV)/.dev  ## what is generated: docs/settings.md, ownership_rules.schema.json
	$(BIN)/python -m service.cli.settings_page > docs/settings.md
	$(BIN)/python -m service.cli.schema_page > ownership_rules.schema.json

lock:  ## needs uv; names no registry
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --extra build --extra postgres pyproject.toml -o requirements.lock
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --extra build --extra postgres --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header tests/clients/requirements.in -o tests/clients/requirements.txt

clean:
	rm -rf $(VENV) .clients data .mypy_cache .ruff_cache .pytest_cache
