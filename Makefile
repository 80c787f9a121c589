# Everything runs in .venv, made on first use from the locks in requirements/.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
PIP = .venv/bin/python -m pip -qq --disable-pip-version-check
BASE_READY = .venv/.base-ready
DEV_READY = .venv/.dev-ready
BENCH_READY = .venv-bench/.ready

.PHONY: run test check fuzz bench drills lock sbom accounts

run: $(BASE_READY)
	@exec .venv/bin/python manage.py serve --demo

# Flows play by the clock: each of the two databases has a worker for them, and nothing else runs beside them.
# Everything else has as many workers as there are cores.
PLAYED = tests/flows tests/fleet

test: $(DEV_READY)
ifdef ARGS
	@.venv/bin/python -m pytest $(ARGS)
else
	@.venv/bin/python -m pytest $(PLAYED:%=--ignore %) --numprocesses auto --maxprocesses 4
	@.venv/bin/python -m pytest $(PLAYED) --numprocesses 2
endif

check: $(DEV_READY)
	@echo "format" && .venv/bin/ruff format --check --quiet .
	@echo "lint" && .venv/bin/ruff check --quiet .
	@echo "types" && .venv/bin/mypy --no-error-summary
	@echo "import rules" && .venv/bin/lint-imports --no-logo >.venv/.imports.txt || { cat .venv/.imports.txt; exit 1; }
	@echo "deployment" && $(LIKE_PRODUCTION) .venv/bin/python manage.py check --deploy --fail-level WARNING
	@echo "migrations" && $(LIKE_PRODUCTION) .venv/bin/python manage.py makemigrations --check --dry-run
	@echo "deployment and migrations with the accounts extra" && $(LIKE_PRODUCTION) ACCOUNTS=allauth .venv/bin/python manage.py check --deploy --fail-level WARNING
	@$(LIKE_PRODUCTION) ACCOUNTS=allauth .venv/bin/python manage.py makemigrations --check --dry-run
	@echo "known vulnerabilities" && .venv/bin/python -m tools.audit
	@echo "All checks passed."

bench: $(DEV_READY) $(BENCH_READY)
	@.venv/bin/python -m bench $(ARGS)

# What others send, by chance and by the thousand: at the parsers, the API and every door. About ten minutes.
fuzz: $(DEV_READY)
	@CALLOPS_FUZZ=$(or $(EXAMPLES),2000) .venv/bin/python -m pytest --timeout 3600 --numprocesses auto --maxprocesses 4 \
		tests/doors/test_fuzz_parsers.py tests/doors/test_fuzz_doors.py tests/doors/test_schema.py $(CHANCE)
	@CALLOPS_FUZZ=$(or $(EXAMPLES),2000) .venv/bin/python -m pytest tests/doors/test_siege.py

CHANCE = tests/webhooks/test_causes.py tests/providers/test_sip_headers.py tests/finding/test_language.py tests/transfers/test_tolls.py

# Something is taken away while people talk: each drill prints what it found. About eight minutes.
drills: $(DEV_READY)
	@.venv/bin/python -m drills $(ARGS)

# What the program is made of, as CycloneDX JSON.
sbom: $(DEV_READY)
	@.venv/bin/python -m tools.sbom $(or $(FILE),var/sbom.json)

# New locks from requirements/*.in: hashes, no addresses.
lock: $(DEV_READY)
	@$(PIP) install uv
	@for name in base dev bench accounts; do \
		.venv/bin/uv pip compile --quiet --upgrade --generate-hashes --no-header --no-emit-index-url --no-annotate \
			--universal --python-version 3.11 --output-file requirements/$$name.txt requirements/$$name.in || exit 1; \
	done

# The extra: second factors, passkeys and OpenID Connect, for an environment that has ACCOUNTS=allauth.
accounts: $(BASE_READY)
	@$(PIP) install --require-hashes --requirement requirements/accounts.txt

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 is needed."; exit 1; }
	@echo "Making .venv"
	@$(PYTHON) -m venv .venv

$(BASE_READY): requirements/base.txt | .venv/bin/python
	@echo "Installing what requirements/base.txt locks"
	@$(PIP) install --require-hashes --requirement requirements/base.txt
	@touch $@

$(DEV_READY): requirements/dev.txt | .venv/bin/python
	@echo "Installing what requirements/dev.txt locks"
	@$(PIP) install --require-hashes --requirement requirements/dev.txt
	@touch $@ $(BASE_READY)

# What the benchmark compares with wants older packages than the program: an environment of its own.
$(BENCH_READY): requirements/bench.txt | .venv/bin/python
	@echo "Installing what requirements/bench.txt locks"
	@$(PYTHON) -m venv .venv-bench
	@.venv-bench/bin/python -m pip -qq --disable-pip-version-check install --require-hashes --requirement requirements/bench.txt
	@touch $@

# Settings as a deployment has them, for checks that look at settings only; all of it made up.
LIKE_PRODUCTION = env \
	SECRET_KEY=made-up-for-checks-0123456789-abcdefghijklmnopqrstuvwxyz \
	DEBUG=0 \
	PUBLIC_URL=https://calls.example.com \
	DATABASE_URL=sqlite:///var/checks.sqlite3 \
	REDIS_URL= \
	OPENAI_API_KEY=sk-made-up \
	OPENAI_PROJECT_ID=proj_madeup0000 \
	OPENAI_WEBHOOK_SECRET=whsec_bWFkZS11cA== \
	TWILIO_ACCOUNT_SID=AC00000000000000000000000000000000 \
	TWILIO_AUTH_TOKEN=made-up
