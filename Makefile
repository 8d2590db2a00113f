# The commands of this project; `make` alone lists them. Each needs Python 3.11 or newer and nothing else.

PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11,$(shell \
    command -v $(name) >/dev/null 2>&1 && $(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))) python3)
DEV := .venv/bin/python -m kellexa_portal.dev
COMPILE := .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
    --no-annotate --no-header --no-config --no-emit-index-url

# Six processes import the same code: compiled once, the portal starts in a fifth of the time.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run stop test check bench kills pictures lock venv

help: ## lists these commands
	@sed -n 's/^\([a-z]*\):.*## \(.*\)$$/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|' 2>/dev/null \
	  || sed -n 's/^\([a-z]*\):.*## \(.*\)$$/  make \1  \2/p' $(MAKEFILE_LIST)

run: venv ## starts the portal with everything it needs, on PORT (8000); Ctrl-C stops it
	@$(DEV) run

stop: venv ## stops what runs from this checkout in another terminal
	@$(DEV) stop

test: venv ## runs the whole test suite, browser journeys included
	@$(DEV) test

check: venv ## lint, format, types, import contracts, templates, migrations, system checks
	@$(DEV) check

bench: venv ## runs the benchmarks; writes var/bench/*.json
	@$(DEV) bench

kills: venv ## kills processes at random during 200 sign-ups, keys and reminders; prints the count
	@KELLEXA_KILL_PEOPLE=200 $(DEV) test -- -m journey tests/journeys/test_kills.py -q

pictures: venv ## takes the README's pictures of the running product
	@.venv/bin/python -m kellexa_portal.dev.pictures

lock: venv ## recompiles the hash-pinned requirements/*.txt
	@$(COMPILE) requirements/base.in --output-file requirements/base.txt
	@$(COMPILE) requirements/dev.in --output-file requirements/dev.txt

venv:
	@$(PYTHON) kellexa_portal/dev/bootstrap.py
