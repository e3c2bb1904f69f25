# `make demo` and `make test` set up everything they need; see README.md.
PYTHON ?= python3
# Extra words for pip, for example a wheel index: make test PIP_ARGS="--extra-index-url https://..."
PIP_ARGS ?=
DEMO_OUTPUT ?= demo-output
TEST_JOBS ?= 2

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# One thread a test process: the tests already run side by side.
SINGLE_THREAD := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1

.PHONY: demo test lint audit bench lists clean

demo: $(INSTALLED)
	sh Testing/system_libraries.sh render
	$(BIN)/dynamic-mri-recon demo --output $(DEMO_OUTPUT)
	$(BIN)/python Testing/slicer/pictures.py --demo $(DEMO_OUTPUT)
	@echo "Look at $(DEMO_OUTPUT)/: movies (.seq.nrrd), M-mode, charts, the panel, and summary.md."

test: $(INSTALLED)
	sh Testing/system_libraries.sh render test
	$(SINGLE_THREAD) $(BIN)/python -m pytest -n $(TEST_JOBS) -m "not gpu and not slow"

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell
	$(BIN)/python Testing/licences.py

# Known weaknesses of the installed packages; needs the network, and sends names and versions of packages to PyPI.
audit: $(INSTALLED)
	$(BIN)/python -m pip install --quiet $(PIP_ARGS) pip-audit
	$(BIN)/pip-audit --strict --skip-editable

# The scripts that train networks only to compare them want a folder, and hours: by hand.
bench: $(INSTALLED)
	for script in $(filter-out %_ablations.py, $(wildcard Testing/benchmarks/*.py)); do $(BIN)/python $$script || exit 1; done

# Writes anew what is made from the code: the CMakeLists' files, docs/methods*, docs/models.md, docs/licences.md,
# the module's list.
lists: $(INSTALLED)
	$(BIN)/python Testing/cmake_lists.py --write
	$(BIN)/python Testing/method_table.py --write
	$(BIN)/python Testing/model_page.py --write
	$(BIN)/python Testing/licences.py --write
	PYTHONPATH=.:DynamicMRIRecon $(BIN)/python -m DynamicMRIReconSlicer.methodList

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] + \
	": run make with PYTHON=/path/to/python3.11" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet $(PIP_ARGS) --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet $(PIP_ARGS) --constraint constraints.txt --editable ".[test]"
	touch $@

clean:
	rm -rf $(VENV) $(DEMO_OUTPUT) build *.egg-info
