# Every word works on a fresh clone by itself; CI uses the same ones.

SHELL := /bin/sh
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)
VENV := .venv
# Tests wait much: two at a time take little more than half as long.
JOBS ?= 2
PYTEST = $(BIN)/python -m pytest -n $(JOBS) --dist loadfile
BIN := $(VENV)/bin
SOURCES := $(shell find src -name '*.py' -not -path '*.egg-info/*')

.PHONY: build serve test test-interpreted test-compiled check bench soak container-test docs package-test release-notes clean

build: $(VENV)/installed  ## .venv with the compiled package and everything the tests need

$(BIN)/python:
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "SupersoniQ needs Python 3.11 or newer, none found: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "$(PYTHON) cannot make virtual environments: install its venv module (Debian: apt install python3-venv)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The dependencies as pyproject.toml names them, without the package itself.
$(VENV)/dependencies: pyproject.toml | $(BIN)/python
	@$(BIN)/python -c 'import tomllib; p = tomllib.load(open("pyproject.toml", "rb")); \
		print(*p["build-system"]["requires"], *p["project"]["dependencies"], \
		*p["project"]["optional-dependencies"]["dev"], sep="\n")' > $(VENV)/requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $(VENV)/requirements.txt
	@touch $@

# build/ keeps modules that are gone from src, so it starts empty. Where C can be compiled, a package that is not
# compiled is an error; elsewhere the interpreted one is fine, and the broker says so.
$(VENV)/installed: $(SOURCES) setup.py pyproject.toml | $(VENV)/dependencies
	@rm -rf build
	@if [ -z "$$SUPERSONIQ_PURE$$SUPERSONIQ_COMPILED" ] && echo '#include <Python.h>' | $${CC:-cc} -fsyntax-only -x c \
		-I"$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("include"))')" - 2>/dev/null; \
		then export SUPERSONIQ_COMPILED=1; fi; \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation \
		--force-reinstall .
	@$(BIN)/supersoniq version
	@touch $@

serve: build  ## make serve ARGS="--port 5673"
	$(BIN)/supersoniq serve $(ARGS)

test: check test-interpreted test-compiled  ## everything that CI checks

# PYTHONPATH puts the sources before the installed package. Where there is a compiled core, what cannot tell the two
# apart is left to it: the rest of the package is never compiled, and starting processes takes most of the time.
TOLD_APART := amqp broker client conformance perf server session storage test_embedded.py test_node.py
test-interpreted: build
	@if $(BIN)/supersoniq version | grep -q 'core: compiled'; \
		then set -- $(if $(ARGS),,$(TOLD_APART:%=tests/%)); else set --; fi; \
		PYTHONPATH="$(CURDIR)/src" $(PYTEST) --core interpreted "$$@" $(ARGS)

test-compiled: build
	@if $(BIN)/supersoniq version | grep -q 'core: compiled'; \
		then echo $(PYTEST) --core compiled $(ARGS); $(PYTEST) --core compiled $(ARGS); \
		else echo "no C compiler: the compiled package is not tested"; fi

check: $(VENV)/dependencies
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	PYTHONPATH=src $(BIN)/lint-imports

bench: build  ## RabbitMQ and this broker by turns, into docs/benchmarks.md
	$(BIN)/python benchmarks/run.py $(ARGS)

soak: build
	$(BIN)/python -m pytest --core any -m soak --timeout 3600 $(ARGS)

container-test: $(VENV)/dependencies  ## builds the image and tries it: minutes, and a Docker engine, which root gets by itself
	PYTHONPATH="$(CURDIR)/src" $(BIN)/python -m pytest --core any -m container tests/container $(ARGS)

docs: $(VENV)/dependencies  ## the documentation as a site, into site/; a broken link is an error
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$($(BIN)/python -c 'import tomllib; \
		print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["docs"])')"
	NO_MKDOCS_2_WARNING=1 PYTHONPATH=src $(BIN)/mkdocs build --quiet

package-test:  ## sdist and wheel in fresh environments: make package-test PYTHONS="python3.11 python3.13" ARGS=--compiled
	$(PYTHON) scripts/package_test.py $(ARGS) $(or $(PYTHONS),$(PYTHON))

release-notes:  ## make -s release-notes VERSION=1.2.3: what CHANGELOG.md says of it, if pyproject.toml has that version
	@$(PYTHON) scripts/release_notes.py $(VERSION)

clean:
	rm -rf $(VENV) build dist site src/*.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
