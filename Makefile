PYTHON ?= python3
BIN := .venv/bin

.PHONY: install run test stress picture check bench

install: .venv/.installed

.venv/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

run: install
	$(BIN)/qa add --if-empty eval/golden/documents
	$(BIN)/qa serve

test: install
	$(BIN)/pytest

# The tests of faults, with many more of them.
stress: install
	QA_STRESS=1 $(BIN)/pytest tests/stress

# The picture in the README, made by the test of the page; needs Chromium.
picture: install
	QA_PICTURE=docs/page.png $(BIN)/pytest -q tests/service/test_page.py -k picture

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest -q tests/test_layout.py

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
