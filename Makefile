# Needs Python 3.10 or newer with venv and headers, make and a C compiler: on Debian and Ubuntu
# apt install python3 python3-venv python3-dev make gcc. Another Python: make run PYTHON=python3.13

PYTHON ?= python3
BIN := .venv/bin
BUILD := setup.py pyproject.toml $(shell find ext -name '*.pyx' -o -name '*.pxd' -o -name '*.h')
MODULES := $(shell find eventsnn scenarios -name '*.py' -o -name '*.pyi')

# Options of benchmarks/bench.py, as make bench BENCH="--nest PYTHON --workloads 'brunel*'"
BENCH ?=

# How long make fuzz takes.
FUZZ_SECONDS ?= 300

# The sanitizers run those tests that use the kernels.
DEBUG_TESTS ?= $(shell grep -lE 'eventsnn\._core|engine=|event_log' tests/test_*.py)
# The first library that Python loads must be the sanitizer's; C++ libraries need their run time beside it.
PRELOAD = $(shell gcc -print-file-name=libasan.so):$(shell gcc -print-file-name=libstdc++.so.6)

.PHONY: help run test test-long lint warnings aarch64 bench debug fuzz clean

help:
	@echo "make run        install into .venv and run the Brunel network for 500 ms, into runs/make-run"
	@echo "make test       run all tests but the long ones"
	@echo "make test-long  run the long tests"
	@echo "make lint       ruff, cython-lint and mypy"
	@echo "make warnings   compile the kernels with gcc's and clang's warnings as errors"
	@echo "make aarch64    cross-compile the kernels, run small networks under qemu and compare their bits (Linux, root)"
	@echo "make bench      measure eventsnn beside its peers, into runs/bench; BENCH=--quick to try it"
	@echo "make debug      run the tests of the kernels under the sanitizers (Linux, gcc)"
	@echo "make fuzz       feed changed bytes to the readers of event files for FUZZ_SECONDS, findings into runs/fuzz"
	@echo "make clean      remove everything that was built or installed; results in runs/ stay"

run: .venv/installed
	$(BIN)/eventsnn run brunel --duration 500 --out runs/make-run --force --plot

# In two processes, which the files of tests are shared among.
test: .venv/installed-test
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

test-long: .venv/installed-test
	$(BIN)/pytest -m long

lint: .venv/installed-lint
	$(BIN)/ruff check .
	PATH=$(BIN):$$PATH cython-lint ext
	$(BIN)/mypy

warnings: .venv/installed-test
	EVENTSNN_WARNINGS=1 CC=gcc $(BIN)/python setup.py --quiet build_ext
	.ci/clang

aarch64: .venv/installed-test
	.ci/aarch64

bench: .venv/installed
	$(BIN)/python benchmarks/bench.py $(BENCH)

debug: .venv-debug/installed
	PYTHONMALLOC=malloc ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 LD_PRELOAD=$(PRELOAD) \
		.venv-debug/bin/pytest --capture=sys $(DEBUG_TESTS)

fuzz: .venv/installed-test .venv/installed-fuzz
	mkdir -p runs/fuzz
	$(BIN)/python tests/support/fuzz_events.py runs/fuzz -max_total_time=$(FUZZ_SECONDS) -max_len=4096

clean:
	rm -rf .venv .venv-debug build dist wheelhouse eventsnn.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find eventsnn ext scenarios tests $(wildcard benchmarks) '(' -name '*.so' -o -name '__pycache__' ')' -prune -exec rm -rf {} +

# Each file below is empty; its date says when the step was last done.
.venv/created:
	$(PYTHON) -m venv .venv
	touch $@

.venv/installed: .venv/created $(BUILD)
	@echo "Installing eventsnn into .venv and compiling its kernels: about a minute, unless build/ has them already."
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

# eventsnn is there already, so that this adds no more than what the extra names.
.venv/installed-%: .venv/installed pyproject.toml
	$(BIN)/python -m pip install --quiet "eventsnn[$*]"
	touch $@

# Not editable: compiled kernels with sanitizers must not land in eventsnn/_core.
.venv-debug/created:
	$(PYTHON) -m venv .venv-debug
	touch $@

.venv-debug/installed: .venv-debug/created $(BUILD) $(MODULES)
	EVENTSNN_DEBUG=1 CC=gcc .venv-debug/bin/python -m pip install --quiet ".[test]"
	touch $@
