# Everything a checkout needs: `make demo` and `make test` set themselves up.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: setup demo check scripts test test-matrix test-judges test-hostile mutants unit lint lab-up lab-down bench entries messages golden lock clean

setup: $(VENV)/.complete

# The lock names every file by hash; the stamp is only written when pip accepted all of them.
$(VENV)/.complete: requirements.lock
	$(PYTHON) -c 'import sys; sys.exit("wecom-gateway needs Python 3.11 or later, this is " + sys.version.split()[0] + "; set PYTHON=/path/to/python3.11" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements.lock
	touch $@

demo: setup
	$(BIN)/python -m lab demo

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/python -m tests.shellcheck

# Half a minute on two cores.
unit: setup
	$(BIN)/python -m tests.side_by_side tests/unit

# What runs on a host, run here: bash and, where it is installed, nginx; no Docker.
scripts: setup
	$(BIN)/python -m tests.side_by_side tests/scripts

# What every change has to pass; no Docker. About two minutes on two cores.
check: lint docs unit scripts

# With ALL=1 every test there is, in one run: what is long comes first, so that both cores end at about the same time.
SUITES ?= all
MATRIX  = tests/matrix --suites $(SUITES)
test: lint docs
	$(BIN)/python -m tests.side_by_side tests/unit tests/scripts
	$(BIN)/python -m tests.side_by_side --labs $(if $(ALL),$(MATRIX) tests/judges tests/hostile) tests/acceptance tests/lab

# Longer ones by themselves: every Debian from 11 on, tools that are not ours, generated hostile input.
test-matrix: setup
	$(BIN)/python -m tests.side_by_side --labs $(MATRIX)

test-judges: setup
	$(BIN)/pytest tests/judges

test-hostile: setup
	$(BIN)/pytest tests/hostile

# Small wrong changes to the product, one at a time: the fast tests have to notice each of them.
mutants: setup
	$(BIN)/python -m tests.mutants

lab-up: setup
	$(BIN)/python -m lab up

lab-down: setup
	$(BIN)/python -m lab down

bench: setup
	$(BIN)/python -m bench.deploy

# After a change to the keys of an entry: their types for editors.
entries: setup
	$(BIN)/python -m gateway.fleet.entry_types

# After a change to what the product says, or to the guide's tables of messages: catalogues for translation, and codes.
messages: setup
	$(BIN)/python -m guide.catalogues
	$(BIN)/python -m guide.codes

# After a change to what is rendered that is meant: keeps it, and git diff shows what it is.
golden: setup
	$(BIN)/python -m tests.golden.trees

# The guide.
.PHONY: reference docs docs-serve

# After a change to a key, a command or an option: the guide's reference pages.
reference: setup
	$(BIN)/python -m guide.reference

# Into site/. A broken link, or a page in one language alone, ends it.
# Not --quiet: strict counts only the warnings that are shown. NO_MKDOCS_2_WARNING: the theme tells of its successor at every run.
docs docs-serve: export NO_MKDOCS_2_WARNING := 1
docs: setup
	$(BIN)/python -m mkdocs build --strict

docs-serve: setup
	$(BIN)/python -m mkdocs serve

# For maintainers, needs uv: one lock for every supported Python and platform.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	    --no-emit-index-url --no-emit-find-links --group dev --quiet --output-file requirements.lock pyproject.toml
	for part in bench tests/judges; do uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate \
	    --no-header --no-emit-index-url --no-emit-find-links --quiet --output-file $$part/requirements.lock \
	    $$part/requirements.in; done

clean:
	rm -rf $(VENV) bench/.venv tests/judges/.venv site .pytest_cache .mypy_cache .ruff_cache .hypothesis
