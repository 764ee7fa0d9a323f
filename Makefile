# Recipes want make, sh and some Python 3 on the machine; deploy/bootstrap.sh brings the rest into .venv.
HOST ?= 127.0.0.1
PORT ?= 8000
PYTHON_IN = .venv/bin/python
SOURCES = chatsite performance conversations tests deploy manage.py
UV = $$(command -v uv || echo .tools/uv/bin/uv)
PINNED = --universal --python-version 3.12 --generate-hashes --no-emit-index-url --no-annotate \
	--no-header --quiet
COMPILE = pip compile pyproject.toml $(PINNED) --overrides requirements/overrides.in
# Values to check production mode with; nothing answers at them.
PRODUCTION = env -u CHAT_BACKEND -u DATA_DIR DEBUG=off ALLOWED_HOSTS=chat.example.org \
	CSRF_TRUSTED_ORIGINS=https://chat.example.org DATABASE_URL=postgres://chat@db.example.org/chat \
	METRICS_TOKEN=$$($(PYTHON_IN) -c 'import secrets; print(secrets.token_urlsafe())') EMAIL_URL=smtp://mail.example.org ALERTS_EMAIL=ops@example.org CACHE_URL=redis://cache.example.org/0 QUEUE_URL=redis://queue.example.org/0 \
	SECRET_KEY=$$($(PYTHON_IN) -c 'import secrets; print(secrets.token_urlsafe(60))')

.PHONY: help run test check messages fix bench lock extra local dev lint types imports migrations templates deployment
.DEFAULT_GOAL := help

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: local ## start the site at http://127.0.0.1:8000/ (PORT=8001 make run)
	@exec $(PYTHON_IN) manage.py up --host "$(HOST)" --port "$(PORT)"

test: dev ## run the tests (ARGS="-k replies" chooses)
	@exec $(PYTHON_IN) -m pytest -n 3 --no-loadscope-reorder $(ARGS)

check: lint types imports migrations templates deployment ## lint, types, import directions, migrations, templates, deployment; changes nothing

lint: dev
	$(PYTHON_IN) -m ruff check $(SOURCES)
	$(PYTHON_IN) -m ruff format --check $(SOURCES)

types: dev
	$(PYTHON_IN) -m mypy

imports: dev
	.venv/bin/lint-imports

migrations: dev
	$(PYTHON_IN) manage.py makemigrations --check --dry-run

templates: dev
	$(PYTHON_IN) -m djlint templates performance/templates --lint --quiet

deployment: dev
	$(PRODUCTION) $(PYTHON_IN) manage.py check --deploy --fail-level WARNING

messages: dev ## take new texts into locale/ and list what has no translation
	$(PYTHON_IN) -m tests.translation

fix: dev ## let ruff repair and format the code, and renew the files made from definitions
	-$(PYTHON_IN) -m ruff check --fix $(SOURCES)
	$(PYTHON_IN) -m ruff format $(SOURCES)
	$(PYTHON_IN) manage.py monitoring_files

bench: dev ## run all benchmarks and write docs/benchmarks.md (NAME=chat runs one, and writes nothing)
	@$(PYTHON_IN) -m tests.benchmarks $(or $(NAME),claims)

lock: dev ## renew requirements/*.txt from pyproject.toml
	$(UV) $(COMPILE) -o requirements/production.txt
	$(UV) $(COMPILE) --extra embedded -c requirements/production.txt -o requirements/local.txt
	$(UV) $(COMPILE) --extra embedded --extra tracing --extra dev -c requirements/local.txt -o requirements/dev.txt
	$(UV) $(COMPILE) --extra tracing -c requirements/dev.txt -o requirements/tracing.txt
	$(UV) $(COMPILE) --extra embedded --extra local-model -c requirements/dev.txt \
		-o requirements/local-model.txt
	$(UV) $(COMPILE) --extra apprise -c requirements/dev.txt -o requirements/apprise.txt
	$(UV) pip compile deploy/load/requirements.in $(PINNED) -c requirements/dev.txt -o requirements/load.txt

extra: local ## add optional packages: NAME=local-model, tracing or apprise
	$(UV) pip install --quiet --python $(PYTHON_IN) --no-build --require-hashes -r requirements/$(NAME).txt

local:
	@deploy/bootstrap.sh local

dev:
	@deploy/bootstrap.sh dev
