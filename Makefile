# Every target says what it does, can be repeated, and needs nothing but Python 3.10+, git and make to begin with.

SHELL := /bin/bash
PY := $(or $(VENV),.venv)/bin
SUITE ?= all
CALLS ?= 10000
# Spark runs on Java 17 or newer; where there is none, its tests are left out
SPARK := $(shell java -version 2>&1 | grep -qE '"(1[7-9]|[2-9][0-9])[".]' && echo spark)
.DEFAULT_GOAL := help
.PHONY: help demo test fuzz bench desk desk-stop lint format benchmark clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## try it without a bench: score the example purchases, write a report, name whom to call first
	@scripts/venv.sh cli
	@$(PY)/crm-retention demo $(ARGS)

test: ## run the tests: the engine everywhere, site and browser on a bench; SUITE=engine|site|e2e, ARGS="-k ..."
	@scripts/venv.sh cli test $(SPARK)
	@$(PY)/python scripts/test.py --suite $(SUITE) -- $(ARGS)
	@$(if $(SPARK),,echo "engine    Spark's tests were left out: no Java 17 or newer (sudo apt-get install openjdk-17-jre-headless)")

fuzz: ## run the attacks with many hostile calls and documents: CALLS=10000, ARGS="-k ..."
	@scripts/venv.sh cli test
	@CRM_RETENTION_FUZZ=$(CALLS) TEST_TIME_LIMIT=$${TEST_TIME_LIMIT:-14400} \
		$(PY)/python scripts/test.py --suite site -- tests/site/attacks $(ARGS)

bench: ## prepare a whole platform on Debian or Ubuntu: FRAPPE_BRANCH, DB=mariadb|sqlite, FRAPPE_REPO, ERPNEXT_REPO, SITE
	@scripts/bench.sh

desk: ## start the site of the bench; print its address and login
	@python3 scripts/desk.py start

desk-stop: ## stop what `make desk` started
	@python3 scripts/desk.py stop

lint: ## check style, formatting and types
	@scripts/venv.sh cli dev
	@scripts/lint.sh

format: ## rewrite the code in the agreed style
	@scripts/venv.sh cli dev
	@$(PY)/ruff check --fix --quiet . ; $(PY)/ruff format .

benchmark: ## measure against the budgets in docs/benchmarks.md; ARGS are passed on
	@scripts/venv.sh cli test
	@$(PY)/python -m benchmarks $(ARGS)

clean: ## remove the environment, caches and screenshots of this checkout
	rm -rf .venv .venv.lock screenshots .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
