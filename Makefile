# make demo    set up with nothing but Python 3.11 or newer, pip and make, then scan examples/deliveries
# make test    set up for development, run all tests
# make check   format, lint, types, imports, tests: what has to pass before a commit
# make bench   measure against the engines of benchmarks/requirements.in
# make sanitize  run the tests of what is written in C under gcc's address and undefined-behaviour checks
# make soak    kill a watcher 200 times for each database, and count
# make docs    build the documentation into site/
# make lock    pin the requirements again (make lock UV_FLAGS=--upgrade takes newer versions)
#
# Set-up is remembered by files in .venv: a changed lock file installs again, an unchanged one costs nothing.

PYTHON ?= python3
JOBS ?= 2
PYTEST_FLAGS ?=
UV_FLAGS ?=
BENCH_FLAGS ?=

BIN := .venv/bin
# The venv is made without a pip of its own: it is quicker, and works where the distribution split ensurepip off.
PIP = $(PYTHON) -m pip --disable-pip-version-check --python $(BIN)/python
INSTALL = $(PIP) install --quiet --require-hashes
# Universal: one lock file for every Python that pyproject.toml admits.
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" $(UV_FLAGS)

C := $(wildcard src/rolewatch/cloudtrail/*.c src/rolewatch/cloudtrail/*.h)

.PHONY: demo test check static format bench sanitize soak docs lock clean

demo: .venv/.core
	$(BIN)/rolewatch scan examples/deliveries

test: .venv/.dev
	$(BIN)/pytest -n $(JOBS) --dist worksteal $(PYTEST_FLAGS)

check: static test

static: .venv/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# rolewatch is measured as installed for use, in an environment of its own.
bench: .venv/.bench build/core/.done
	INSTALLED=build/core/bin $(BIN)/python benchmarks/run.py $(BENCH_FLAGS)
	INSTALLED=build/core/bin $(BIN)/python benchmarks/filters.py
	INSTALLED=build/core/bin $(BIN)/python benchmarks/queries.py
	$(BIN)/python benchmarks/alarms.py
	$(BIN)/python benchmarks/lake.py
	$(BIN)/python benchmarks/spark.py
	$(BIN)/python benchmarks/watch.py
	$(BIN)/python benchmarks/web.py --write
	$(BIN)/python benchmarks/policies.py --write
	INSTALLED=build/core/bin $(BIN)/python benchmarks/check.py --write

build/core/.done: requirements.lock pyproject.toml $(C)
	rm -rf build/core && $(PYTHON) -m venv --without-pip build/core
	$(PYTHON) -m pip --disable-pip-version-check --python build/core/bin/python install --quiet --require-hashes -r requirements.lock
	$(PYTHON) -m pip --disable-pip-version-check --python build/core/bin/python install --quiet --no-deps --no-build-isolation .
	build/core/bin/python -m compileall -q build/core/lib
	@touch $@

# Into a copy of the package: the library that is in use stays as it is.
SANITIZED = build/sanitized
sanitize: .venv/.dev
	mkdir -p $(SANITIZED)
	cp -r src/rolewatch $(SANITIZED)/
	for name in _native _columns; do \
		gcc -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -shared -fPIC \
			-I$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("include"))') src/rolewatch/cloudtrail/$$name.c \
			-o $(SANITIZED)/rolewatch/cloudtrail/$$name$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_config_var("EXT_SUFFIX"))') || exit 1; \
	done
	PYTHONPATH=$(SANITIZED) PYTHONMALLOC=malloc ASAN_OPTIONS=detect_leaks=0 \
		LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libubsan.so)" \
		$(BIN)/pytest -n $(JOBS) -p no:cacheprovider tests/cloudtrail/test_native.py tests/cloudtrail/test_columns.py tests/cloudtrail/test_carve.py tests/scan/test_exactness.py

soak: .venv/.dev
	ROLEWATCH_KILLS=200 $(BIN)/pytest -p no:cacheprovider tests/cli/test_watch_kill.py tests/watch/test_live_alarm_kills.py

docs: .venv/.dev
	$(BIN)/mkdocs build --strict

lock: $(BIN)/python
	$(PIP) install --quiet uv
	$(COMPILE) pyproject.toml requirements.in -o requirements.lock
	$(COMPILE) --extra all --constraint requirements.lock pyproject.toml requirements.in requirements-dev.in -o requirements-dev.lock
	$(COMPILE) --constraint requirements-dev.lock benchmarks/requirements.in -o benchmarks/requirements.lock
	$(COMPILE) --extra aws --extra lake --extra notify --extra postgres --constraint requirements-dev.lock pyproject.toml requirements.in -o examples/deploy/requirements.lock

clean:
	rm -rf .venv site

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("rolewatch needs Python 3.11 or newer; name one: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv --without-pip .venv

.venv/.core: requirements.lock pyproject.toml $(C) | $(BIN)/python
	$(INSTALL) -r requirements.lock
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@# Where Python may not write bytecode, it would compile every module anew at every start.
	@$(BIN)/python -m compileall -q src/rolewatch
	@touch $@

.venv/.dev: requirements-dev.lock .venv/.core
	$(INSTALL) -r requirements-dev.lock
	@touch $@

.venv/.bench: benchmarks/requirements.lock .venv/.dev
	$(INSTALL) -r benchmarks/requirements.lock
	@touch $@
