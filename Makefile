PYTHON ?= python3
BIN := .venv/bin

.PHONY: install run test test-fast stress picture check bench

install: .venv/.installed

# What serving needs, without torch.
.venv/.serving: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable .
	touch $@

# Development: tests, training, own embedding models.
.venv/.installed: .venv/.serving
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

run: .venv/.serving
	$(BIN)/qa add --if-empty eval/golden/documents
	$(BIN)/qa serve

test: install
	$(BIN)/pytest

# Without training, which imports torch, and without other tests that take seconds; about two minutes on two cores.
test-fast: install
	$(BIN)/pytest --numprocesses=2 -m "not slow" --ignore=tests/training

# The fault tests, with many more faults.
stress: install
	QA_STRESS=1 $(BIN)/pytest tests/stress

# Render the picture of the README with the page test; needs Chromium.
picture: install
	QA_PICTURE=docs/page.png $(BIN)/pytest -q tests/service/test_page.py -k test_takes_the_screenshot_of_the_readme

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest -q tests/test_layout.py tests/test_prose.py

# DATASET: a SQuAD file; its contexts are the documents.
DATASET ?= eval/golden/golden.json

bench: install .venv-peers/.installed
	$(BIN)/python -m eval.bench.reading
	$(BIN)/python -m eval.bench.querying $(DATASET)
	$(BIN)/python -m eval.bench.peers $(DATASET)

.venv-peers/.installed: eval/bench/peers/requirements.txt
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/pip install --quiet --requirement $<
	touch $@
