# Everything runs in .venv, which tools/setup_environment.py builds, repairs and leaves alone.
.DEFAULT_GOAL := help
.PHONY: help demo test lint types layers unit coverage slow gpu benchmark calibration docs reference setup environment user wheels clean

bin := .venv/bin
# Compiled modules are kept also where the environment says not to: tests start many processes.
pytest := PYTHONDONTWRITEBYTECODE= SYNBENCH_OFFLINE=1 $(bin)/python -m pytest
pythons := $(PYTHON) $(wildcard $(bin)/python) python3.11 python3.12 python3.13 python3
old := import sys; sys.exit(sys.version_info < (3, 11))

# Run the set-up with the first Python that is new enough for it, given as $(1) the other options.
define set_up
@for python in $(pythons); do \
	if "$$python" -c '$(old)' 2>/dev/null; then \
		exec "$$python" tools/setup_environment.py $(if $(PYTHON),--python $(PYTHON)) $(1); \
	fi; \
done; \
if uv python install --quiet 3.12 2>/dev/null; then \
	python=$$(uv python find 3.12) && exec "$$python" tools/setup_environment.py --python "$$python" $(1); \
fi; \
echo "set-up failed: there is no Python 3.11, 3.12 or 3.13; name one: PYTHON=/path" >&2; exit 1
endef

help: ## Print this list.
	@echo "synbench: make TARGET [PYTHON=/path/to/python3.11]"
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  \1 \2/p' $(MAKEFILE_LIST) | \
		while read -r name text; do printf '  %-10s %s\n' "$$name" "$$text"; done

demo: user ## Run the suite `demo`: its table, figures over the bit rate, a report to hear.
	@$(bin)/synbench weights fetch demo >/dev/null || echo "going on without them"
	@$(bin)/synbench run demo
	@$(bin)/synbench figures runs/demo --kind rate
	@$(bin)/synbench report runs/demo

test: lint types layers unit ## Everything that has to pass: lint, types, layers, unit.

lint: environment ## Check style and format with ruff.
	$(bin)/ruff check .
	$(bin)/ruff format --check .

types: environment ## Check types with mypy.
	$(bin)/mypy
	$(bin)/mypy tools/setup_environment.py

layers: environment ## Check which package may import which.
	$(bin)/lint-imports

unit: environment ## Run the tests that take seconds, on all cores.
	$(pytest) -n auto --dist loadgroup -m "not slow and not gpu and not benchmark"

coverage: environment ## Run the same tests and print which lines they reach.
	$(pytest) -n auto --dist loadgroup -m "not slow and not gpu and not benchmark" --cov

slow: environment ## Run the tests that take longer.
	$(pytest) -m "slow and not gpu"

gpu: environment ## Run the tests that need a CUDA device.
	$(pytest) -m gpu

calibration: environment ## Measure again what intervals and tests promise, and write the page.
	$(bin)/python tools/calibrate.py

benchmark: environment ## Measure speed and memory, and write the page.
	SYNBENCH_BENCHMARK_PAGE=1 $(pytest) tests/benchmarks -m benchmark -v -s

docs: environment ## Build the documentation into build/docs; open index.html there.
	NO_MKDOCS_2_WARNING=1 $(bin)/mkdocs build --quiet

reference: environment ## Write the pages of docs/reference that follow from the code.
	$(bin)/python tools/write_reference.py
	$(bin)/python tools/write_example.py

setup: ## Install everything into .venv again: tools, and torch where it can be had.
	$(call set_up,--again)

environment:
	$(call set_up,--level tests)

user:
	$(call set_up,--level demo)

wheels: user ## Collect in wheels/ all that `make demo` needs on a machine without a network.
	@$(bin)/python tools/collect_wheels.py wheels

clean: ## Remove .venv, caches and builds; the results in runs/ stay.
	rm -rf .venv build dist .coverage .coverage.* .hypothesis
	rm -rf .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
