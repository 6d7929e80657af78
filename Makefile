# Uketome: two commands do everything, `make run` and `make test`. The others are for those who work on it.
PYTHON ?= python3
BIN := .venv/bin
RASA := PYTHONPATH=bot/rasa RASA_TELEMETRY_ENABLED=false .venv-rasa/bin/rasa

.PHONY: run setup setup-dev train test test-all prepare check dialogue dialogue-data dialogue-stories dialogue-messages transcripts simulate eval bench demo demo-town pictures lock

run: setup train ## the whole product in the foreground
	@exec $(BIN)/uketome run

setup: ## the environments only
	@$(PYTHON) uketome/environments.py

setup-dev:
	@$(PYTHON) uketome/environments.py dev

train: setup ## Rasa's model; skipped when nothing changed
	@$(BIN)/uketome train

test: setup-dev ## everything it needs, then all tests
	@$(MAKE) -j2 --no-print-directory prepare train
	$(BIN)/python -m pytest -n auto

test-all: setup-dev ## the same, and what takes long: every page in a browser, every test over both databases
	@$(MAKE) -j2 --no-print-directory prepare train
	$(BIN)/python -m pytest -n auto --all

prepare: setup-dev
	@$(BIN)/python -m tests.prepare

check: setup-dev ## format, lint, types, import order
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .
	$(BIN)/lint-imports

dialogue: dialogue-messages dialogue-data dialogue-stories ## Rasa's own tests: its data, its stories, every kind of message

dialogue-data: setup-dev
	$(RASA) data validate --domain bot/rasa/domain.yml \
		--config bot/rasa/config.yml --data nlu_data/rasa --fail-on-warnings

dialogue-stories: setup-dev train
	$(RASA) test core --model var/rasa/model.tar.gz \
		--stories nlu_data/rasa/tests --out var/rasa/test --fail-on-prediction-errors

dialogue-messages: setup-dev train
	.venv-rasa/bin/python bot/rasa/check.py

transcripts: setup-dev train ## plays the residents of tests/residents/ and writes tests/transcripts/ anew
	$(BIN)/python -m tests.simulation

simulate: setup-dev train ## plays them all and holds every rule against every talk; writes nothing
	$(BIN)/python -m tests.simulation --check

eval: setup-dev ## figures of the understanding
	$(BIN)/python -m bench.evaluate

bench: setup-dev train ## the table of docs/performance.md
	$(BIN)/python -m bench

demo: setup-dev train ## the LINE way, with a stand-in of LINE
	$(BIN)/python -m uketome.demo

demo-town: setup-dev ## a made-up town of 2,000 cases in var/demo-town.db
	@$(BIN)/python -m uketome.demo_town

pictures: setup-dev train ## the pictures of docs/, from the running product
	@$(BIN)/python -m tests.prepare
	$(BIN)/python -m tests.pictures

lock: ## renew the lock files from requirements/*.in
	$(BIN)/python requirements/lock.py
