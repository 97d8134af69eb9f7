# Two commands matter: `make demo` and `make test`. Both do all set-up on a fresh Debian 12.
SHELL := /bin/bash
PYTHON := .venv/bin/python
OUT := out
FUZZ_SECONDS ?= 20
# Virtual machines at a time: each has two processors, of which starting up uses little more than one.
VMS ?= 2
# Tests with real tools at a time.
TOOLS ?= 2
FUZZ_TARGETS ?=
MUTANTS ?= 30
MUTANTS_SEED ?= 1
PYTEST := $(PYTHON) -m pytest
# Thousands of cuts and invented lives: half of the time of all unit tests, so beside them, and not traced.
LIVES := tests/unit/simulate/test_mass_cuts.py tests/unit/simulate/test_life.py
# Whole flows, and what is outside of the domain: not traced either, which nearly doubles the time of flows.
UNTRACED := $(addprefix tests/unit/,apps build core distribution flow lab mutants schemas simulate site)

.PHONY: help setup demo simulate test lint unit integ vm nightly fuzz mutants bench docs packages buildroot clean
help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 12

setup: .venv/ready ## Debian packages, virtual environment, .venv/bin/gprov

.venv/ready: requirements/debian.txt requirements/dev.txt pyproject.toml tools/setup
	tools/setup

demo: setup ## provision, restore and boot a virtual appliance from nothing
	.venv/bin/gprov lab lifecycle --firmware uefi --workdir $(OUT)/demo --report $(OUT)/demo/report.json

simulate: setup ## the same flow on a simulated machine, in a second
	.venv/bin/gprov simulate lifecycle

test: setup ## everything that must pass: lint, types, unit, integration, virtual machines
	$(MAKE) --jobs=2 lint unit
	$(MAKE) integ vm

lint: setup ## ruff, mypy, import contracts
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports

unit: setup ## unit and property tests, with the branch coverage of the domain
	rm -f .coverage*
	$(PYTHON) -m pytest $(LIVES) -m "not nightly" -q & lives=$$!; \
	$(PYTHON) -m coverage run -m pytest tests/unit $(UNTRACED:%=--ignore=%) -m "not nightly" -q -n $(VMS) --dist worksteal; units=$$?; \
	$(PYTEST) $(UNTRACED) $(LIVES:%=--ignore=%) -m "not nightly" -q -n $(VMS) --dist worksteal || units=1; \
	wait $$lives && exit $$units
	$(PYTHON) -m coverage combine -q
	$(PYTHON) -m coverage report

integ: setup ## adapters against real tools, devices and servers of this machine
	$(PYTEST) tests/integ -m "not vm and not nightly" -q -n $(TOOLS) --dist loadfile --durations=20

vm: setup ## units in virtual machines
	$(PYTEST) tests/integ/vm -m "not nightly" -v -s -n $(VMS) --dist loadfile --no-loadscope-reorder --durations=40

nightly: setup ## what is too long for every run: new random examples, adapters inside virtual machines
	$(PYTEST) tests/unit $(LIVES:%=--ignore=%) -q --hypothesis-profile=search
	$(PYTEST) tests/integ -m "nightly or vm" -q

fuzz: setup ## every parser of outside bytes, guided by coverage; FUZZ_SECONDS=20 each
	nice -n 19 $(PYTHON) -m fuzz --seconds $(FUZZ_SECONDS) --corpus $(OUT)/fuzz $(FUZZ_TARGETS)

mutants: setup ## do unit tests notice small changes of planners, boot decision and trust? MUTANTS=30 MUTANTS_SEED=1
	nice -n 10 $(PYTHON) -m mutants --count $(MUTANTS) --seed $(MUTANTS_SEED)

bench: setup ## measurements, as ratios against a named reference of the same run
	for name in boot boot_instructions freeze_startup image_apply restore erase server_load; do echo "== $$name"; $(PYTHON) -m benchmarks.$$name || exit 1; done

docs: setup .venv-docs/ready ## the documentation as a site: out/site/index.html
	$(PYTHON) -m tools.site $(OUT)/docs
	NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --quiet --strict

# Of its own, since only the site needs it. Everything after that works without a network.
.venv-docs/ready: requirements/docs.txt
	/usr/bin/python3.11 -m venv .venv-docs
	.venv-docs/bin/pip install -q --disable-pip-version-check --require-hashes -r requirements/docs.txt
	touch .venv-docs/ready

packages: setup ## source archive, wheel, Debian packages, into out/packages
	nice -n 10 $(PYTHON) -m distribution --output $(OUT)/packages

buildroot: setup ## the external tree in a tree of Buildroot: BUILDROOT=/path
	@test -f "$(BUILDROOT)/utils/check-package" || { echo 'make buildroot BUILDROOT=/path: a tree of Buildroot, 2025.11 or later'; exit 2; }
	BUILDROOT="$(abspath $(BUILDROOT))" $(PYTEST) tests/buildroot -q

clean: ## what this checkout built; the shared cache (~/.cache/gprov) stays
	rm -rf $(OUT) build .venv .venv-docs .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
