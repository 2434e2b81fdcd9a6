# Two commands: `make demo` and `make test`. Both set up a virtual environment in .venv first; a machine needs
# python3 with venv, g++ (or clang++) and make. Everything else comes from the package index.
PYTHON ?= python3
IMAGE ?=
MINUTES ?= 2
ARGS ?=

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --quiet
SOURCES := $(shell find csrc cmake python -type f ! -name '*.so' ! -path '*/__pycache__/*') CMakeLists.txt pyproject.toml

.PHONY: demo test bench-rate lint format stubs clean

# Fits a picture (IMAGE=photo.jpg for your own) and leaves the .cppn, the PNG and a side-by-side PNG in out/.
demo: $(VENV)/.installed
	$(PY) examples/demo.py --out out --minutes $(MINUTES) $(if $(IMAGE),--image "$(IMAGE)")

# The whole suite. ARGS="-k codec" picks.
test: $(VENV)/.installed-test
	$(PY) -m pytest $(ARGS)

# Score against bytes, beside the image codecs of the package index: hours; results and plot in bench/results.
bench-rate: $(VENV)/.installed
	$(PIP) install -r bench/requirements-rate.txt
	$(PY) bench/bench_rate.py $(ARGS)

lint: $(VENV)/.installed-dev
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/clang-format --dry-run -Werror $$(git ls-files 'csrc/*.h' 'csrc/*.cpp' 'csrc/*.cu' 'tests/native/*.h' 'tests/native/*.cpp')

format: $(VENV)/.installed-dev
	$(PY) -m ruff check --fix-only --quiet .
	$(PY) -m ruff format --quiet .
	$(VENV)/bin/clang-format -i $$(git ls-files 'csrc/*.h' 'csrc/*.cpp' 'csrc/*.cu' 'tests/native/*.h' 'tests/native/*.cpp')

# python/cppn_native/_core.pyi from the extension's own signatures.
stubs: $(VENV)/.installed-dev
	$(PY) csrc/bindings/stubs.py

clean:
	rm -rf build out $(VENV)

$(PY):
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(PY) $(SOURCES)
	$(PIP) install .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(PIP) install ".[test]"
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP) install ".[dev]"
	@touch $@
