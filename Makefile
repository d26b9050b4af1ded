# `make` runs the study on a machine that has only this checkout: it makes its
# own Python environment (.venv) and looks for R, then hands over to Snakemake.
# All paths are relative, so the checkout may live anywhere.

.DEFAULT_GOAL := study
.NOTPARALLEL:
.SUFFIXES:
.PHONY: study student which-strategy test lint format env env-test engine browser r lock help

SHELL := /bin/sh

# More for Snakemake or pytest, e.g. make study ARGS="--dry-run"
ARGS ?=
CORES ?= all

run := @sh envs/python.sh run
snakefiles := $(wildcard Snakefile workflow)
shell_scripts := $(wildcard envs/*.sh profiles/*/*.sh) .ci/run

study: env ## run the study (the default); a second run only does what is missing
	$(run) .venv/bin/snakemake --cores $(CORES) $(ARGS)

student: env ## run the example on real data: two clusters, and what goes wrong
	$(run) .venv/bin/snakemake --cores $(CORES) student
	$(run) .venv/bin/snakemake --cores $(CORES) --configfile examples/student/config.yaml $(ARGS)

which-strategy: env ## run the study behind docs/which-strategy.md (CPU-hours) and write the page
	$(run) -m studies.which_strategy --run $(CORES)

test: engine browser ## run the tests and the examples in docstrings, on all cores
	$(run) -m pytest --numprocesses logical --dist worksteal $(ARGS)

lint: env-test ## check style, types, imports, scripts and the workflow; changes nothing
	$(run) -m ruff check .
	$(run) -m ruff format --check .
	$(run) -m snakefmt --check $(snakefiles)
	$(run) -m mypy
	$(run) .venv/bin/lint-imports --no-logo --no-cache
	@.venv/bin/shellcheck $(shell_scripts)
	$(run) .venv/bin/snakemake --lint
	$(run) .venv/bin/snakemake --lint --configfile examples/cluster-trial/config.yaml

format: env-test ## rewrite the code in the project's style
	$(run) -m ruff check --fix .
	$(run) -m ruff format .
	$(run) -m snakefmt $(snakefiles)

env: ## make .venv and look for R, without running anything
	@sh envs/python.sh sync
	@sh envs/r.sh

r: ## try again to find or install R, after a failure
	@sh envs/python.sh sync
	@sh envs/r.sh again

env-test:
	@sh envs/python.sh sync test

engine: env-test
	@sh envs/r.sh

browser: env-test
	@sh envs/browser.sh

lock: ## resolve envs/requirements*.txt anew (UPGRADE=1: to the newest versions)
	@sh envs/python.sh lock

help: ## list these targets
	@sed -n 's/^\([a-z][a-z-]*\):[^#]*## \(.*\)/  make \1|\2/p' Makefile | \
		while IFS='|' read -r target text; do printf '%-14s %s\n' "$$target" "$$text"; done
