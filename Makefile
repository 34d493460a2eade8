# make demo    install, then run the quickstart from nothing and show what it made
# make lab     install, then open JupyterLab on the notebooks
# make test    install, then run every test, doctest and notebook
# make bench   install, then measure djupyter beside bare drivers and datajoint; OPTIONS="--backend mariadb" ...
# make docs    install, then make the site of docs/ and the notebooks, which it runs
# make lint    formatting, lint, types, layers: what .ci/run checks after the tests
#
# Needs only Python >= 3.11. What is installed goes into .venv; after the first time no network is needed.

VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo lab test bench docs lint clean

demo: $(VENV)/lab.done
	$(BIN)/python notebooks/demo.py

lab: $(VENV)/lab.done
	$(BIN)/jupyter lab --notebook-dir=notebooks $(if $(filter 0,$(shell id -u)),--allow-root)

# Each worker starts servers of its own, which want memory too.
WORKERS := 2
TEST_OPTIONS :=
test: $(VENV)/dev.done
	$(BIN)/pytest --numprocesses $(WORKERS) --dist worksteal $(TEST_OPTIONS)
	@# Notebooks start from nothing: not with the database of whoever tried them before.
	folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
	  DJ_IGNORE_CONFIG_FILE=1 DJ_DATABASE_PATH="$$folder/djupyter.db" \
	  $(BIN)/pytest --nbval-lax --nbval-current-env notebooks

# Servers are those of DJ_TEST_..._URL, or started for this. The options: `python -m benchmarks --help`.
OPTIONS := --backend sqlite --backend mariadb --backend postgresql
bench: $(VENV)/bench.done
	$(BIN)/python -m benchmarks $(OPTIONS)

docs: $(VENV)/docs.done
	$(BIN)/sphinx-build -W --keep-going -n -E -a --quiet -c docs -d docs/_build/doctrees . docs/_build/html
	@echo 'The site begins at docs/_build/html/index.html.'

lint: $(VENV)/dev.done
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

clean:
	rm -rf $(VENV) demo docs/_build

# Once per change of pyproject.toml.
$(VENV)/%.done: pyproject.toml $(VENV)/pyvenv.cfg
	$(BIN)/python -m pip install --quiet --editable '.[$*]'
	@touch $@

# The newest Python that can make a virtual environment: Debian's, for one, needs python3-venv to.
$(VENV)/pyvenv.cfg:
	@for python in python3.14 python3.13 python3.12 python3.11 python3; do \
	  $$python -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	  $$python -m venv $(VENV) && exec $$python --version; \
	  rm -rf $(VENV); \
	done; \
	echo 'Needs Python >= 3.11 with venv (on Debian: apt-get install python3-venv).' >&2; exit 1
