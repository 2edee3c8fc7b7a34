# Everything runs from .venv, made from the committed lock with the system's Python; nothing else
# needs to be installed first. `make` alone lists the targets.
.DEFAULT_GOAL := help
.PHONY: help setup tools up test quick test-kafka check fix bench names faults alarms promtool simulate coverage structure docs clean
PYTHON ?= python3
ARGS ?=
WHAT ?=
WORKERS ?= 3
spread := -n $(WORKERS) --no-loadscope-reorder
stamp := .venv/.synced
run := .venv/bin/
kafka_tests := tests/contract/kafka_port tests/component/runtime/kafka/test_protocols.py \
  tests/component/runtime/kafka/test_recreated_topics.py tests/component/runtime/test_retention_on_kafka.py

static_tests := tests/architecture tests/golden

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: $(stamp) ## Make .venv and install what the lock names

$(stamp): pyproject.toml uv.lock
	@test -x $(run)python || $(PYTHON) -m venv .venv
	@$(run)python -m uv --version >/dev/null 2>&1 || $(run)python -m pip install --quiet --disable-pip-version-check "uv>=0.8"
	@VIRTUAL_ENV=$(CURDIR)/.venv $(run)python -m uv sync --locked --quiet
	@touch $@

tools: ## Build by Go, into .tools/bin, the programs that some tests of deploy/ want
	@command -v go >/dev/null || { echo "Go is not installed; the tests that want kustomize skip" >&2; exit 1; }
	@test -x .tools/bin/kustomize || GOFLAGS=-mod=mod GOBIN=$(CURDIR)/.tools/bin go install sigs.k8s.io/kustomize/kustomize/v5@v5.7.1

up: setup ## Run the whole pipeline here; ARGS="--events 3000 --exit --report report.json"
	@$(run)zcc up $(ARGS)

test: setup ## Run all tests but the long ones, on real Kafka, Postgres and S3
	@$(run)pytest $(spread) -m "not long and not static" $(ARGS)

quick: setup ## Run what needs no broker, with few examples, in less than a minute
	@$(run)pytest -q $(spread) --hypothesis-profile quick -m "not long and not thorough" \
		$(or $(ARGS),tests/unit tests/property tests/architecture)

test-kafka: setup ## Run the tests of Kafka's port on its other version; KAFKA=4.4.0
	@ZCC_DEVSTACK_KAFKA=$(or $(KAFKA),4.4.0) $(run)pytest $(spread) -m "not long and not static" $(or $(ARGS),$(kafka_tests))

check: setup ## Format, lint, types, import contracts, dependencies, tests of source and generated files
	@$(run)ruff format --check .
	@$(run)ruff check .
	@$(run)mypy
	@$(run)lint-imports --no-cache
	@$(run)deptry .
	@$(run)pytest -q $(spread) -m static $(static_tests)

fix: setup ## Mend what the formatter and the linter can
	@$(run)ruff format .
	@$(run)ruff check --fix .

bench: setup ## Run a benchmark; WHAT=name ARGS=...; its last line is one JSON object
	@test -n "$(WHAT)" || { echo "WHAT is one of: $(basename $(notdir $(filter-out %/__init__.py,$(wildcard benchmarks/*.py))))"; exit 2; }
	@$(run)python -m benchmarks.$(WHAT) $(ARGS)

names: setup ## Names under a slow API, an outage and kills -9, 15 minutes; ARGS="--seconds 60 --case kills"
	@$(run)python -m benchmarks.names $(ARGS)

faults: setup ## Run the long fault tests (kills, outages, restarts)
	@$(run)pytest -m long $(ARGS)

alarms: setup ## Bring about the fault of each alert, with a real Prometheus; 15 minutes at most
	@$(run)pytest tests/faults/test_alarms.py $(ARGS)

promtool: ## Build promtool 3 into .tools/bin, for the tests of alerts; takes minutes
	@mkdir -p .tools/promtool && cd .tools/promtool && { test -f go.mod || go mod init promtool; } \
		&& GOFLAGS=-mod=mod go get github.com/prometheus/prometheus/cmd/promtool@v0.305.0 \
		&& GOFLAGS=-mod=mod nice go build -ldflags "-X github.com/prometheus/common/version.Version=3.5.0" \
		-o ../bin/promtool github.com/prometheus/prometheus/cmd/promtool
	@.tools/bin/promtool --version

simulate: setup ## Run 10,000 histories of workers in simulated time; ARGS="--seeds 500 --first 0"
	@$(run)python -m tests.support.histories.simulate $(ARGS)

coverage: setup ## Run the tests with the coverage gate: 95 %, pure modules 100 %
	@$(run)coverage run -m pytest -m "not long" $(ARGS)
	@$(run)coverage combine --quiet
	@$(run)coverage report
	@$(run)coverage report --fail-under=100 --include="$$($(run)python -m tests.support.pure_modules)"

structure: setup ## Count rooms, imports, circles and dialect words; ARGS="folder of an older checkout"
	@$(run)python -m tests.support.structure $(ARGS)

docs: setup ## Write the generated reference pages
	@$(run)python -m operations.reference_docs.command

clean: ## Remove what the targets made, caches of downloads included
	@rm -rf .venv .devstack .tools .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache
