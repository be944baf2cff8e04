# make demo: the default study; make figures: only its figures; make test: the whole test suite. All
# make .venv first if needed.
PYTHON ?= python3
CORES ?= $(shell nproc 2>/dev/null || echo 2)
BIN := .venv/bin

.PHONY: demo figures tiny objectives test test-processors test-install faults lint bench docs schema lock clean

demo: .venv/runtime
	@$(BIN)/python -m snakemake --cores $(CORES) all
	@echo "Report:  $(CURDIR)/results/demo/report.html"
	@echo "Figures: $(CURDIR)/results/demo/figures/    Tables: $(CURDIR)/results/demo/tables/"

# All figures that are out of date; of another study: make figures STUDY="studies/grey28.yaml
# studies/small/grey28.yaml"
figures: .venv/runtime
	@$(BIN)/python -m snakemake --cores $(CORES) all_figures $(if $(STUDY),--configfile $(STUDY))

# The smallest study that takes every step once.
tiny: .venv/runtime
	@$(BIN)/python -m snakemake --cores $(CORES) --configfile studies/tiny.yaml

# The same with every training objective.
objectives: .venv/runtime
	@$(BIN)/python -m snakemake --cores $(CORES) --configfile studies/tiny.yaml studies/small/tiny.yaml

test: .venv/development
	@$(BIN)/python -m pytest -n 2 --cov=oecal --cov-report=term:skip-covered --cov-fail-under=90

# The tests of numerics with the instruction sets of two other processors. PyTorch, oneDNN, MKL,
# OpenBLAS and NumPy each choose their kernels by themselves; a library that does not know its
# variable ignores it.
NUMERICS := tests/models tests/predict tests/screening tests/scores tests/calibrators
SSE := ATEN_CPU_CAPABILITY=default ONEDNN_MAX_CPU_ISA=SSE41 MKL_CBWR=COMPATIBLE OPENBLAS_CORETYPE=Nehalem \
    NPY_DISABLE_CPU_FEATURES="X86_V3 X86_V4"
AVX := ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX MKL_CBWR=AVX OPENBLAS_CORETYPE=Sandybridge NPY_DISABLE_CPU_FEATURES=X86_V4

test-processors: .venv/development
	@$(SSE) $(BIN)/python -m pytest -n 2 $(NUMERICS)
	@$(AVX) $(BIN)/python -m pytest -n 2 $(NUMERICS)

# A wheel of the package, installed into an empty environment with today's releases of what it
# needs, loads every study. Several GB are installed anew, so this is no part of continuous
# integration.
test-install:
	@rm -rf build oecal.egg-info && $(PYTHON) -m venv build/test-install/venv
	@build/test-install/venv/bin/python -m pip wheel --quiet --no-deps --wheel-dir build/test-install .
	@build/test-install/venv/bin/python -m pip install --quiet build/test-install/oecal-*.whl
	@build/test-install/venv/bin/python -P tests/workflow/load_studies.py

# Kills, spoils and fills a small study, fifty times; half an hour.
faults: .venv/development
	@$(BIN)/python -m tests.faults.harness --kills 50 --to results/faults.csv

lint: .venv/development
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/snakefmt --check Snakefile workflow
	@$(BIN)/mypy oecal
	@$(BIN)/python -m snakemake --lint

bench: .venv/development
	@for file in benchmarks/*.py; do PYTHONPATH=. $(BIN)/python $$file || exit 1; done

# docs/datasets.md, scores.md, figures.md, planning.md, configuration.md and tables.md, from tables,
# code, schema and studies.
docs: .venv/development
	@for file in docs/*.py; do PYTHONPATH=. $(BIN)/python $$file || exit 1; done

# workflow/schemas/config.schema.json, by which editors check a study file, from the types.
schema: .venv/development
	@$(BIN)/python -m oecal.study.schema

# Pins of all packages, for all platforms and Python versions, from pyproject.toml. Extras stay in
# the pins: pip 23 takes coverage[toml], which pytest-cov asks for, as not pinned by coverage==.
lock: .venv/development
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-annotate --no-header --no-strip-extras pyproject.toml \
	    -o requirements.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-annotate --no-header --no-strip-extras --extra test --extra dev \
	    -c requirements.txt pyproject.toml -o requirements-dev.txt

clean:
	rm -rf results .snakemake

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "Python 3.11 or newer is needed; write make demo PYTHON=/path/to/python"; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "python3 -m venv failed; on Debian: apt install python3-venv"; exit 1; }

.venv/runtime: requirements.txt | .venv/bin/python
	@echo "Installing the packages of $< (once; several GB with PyTorch) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

.venv/development: requirements-dev.txt | .venv/bin/python
	@echo "Installing the packages of $< (once; several GB with PyTorch) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@ .venv/runtime
