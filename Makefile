# Two commands: `make demo` and `make test`. Both set up everything that they need.
PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
ROOMS := files configuration processors modeling simulation datasets_scripts training evaluation pipelines hub model_cards zoo app
TREE := build/tree/nuzoo

.PHONY: demo test test-browser lint types contracts docs unit bench clean tree

demo: $(VENV)/.installed
	$(BIN)/nuzoo demo --out runs/demo

test: lint types contracts docs unit

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed tree
	MYPYPATH=build/tree $(BIN)/mypy -p nuzoo

contracts: $(VENV)/.installed tree
	cd build/tree && PYTHONPATH=. $(abspath $(BIN))/lint-imports --config ../../pyproject.toml

# Every warning is an error: a link to nothing, a docstring that says other than its signature, what is loaded from elsewhere.
docs: $(VENV)/.installed tree
	PYTHONPATH=build/tree NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

unit: $(VENV)/.installed
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not slow and not gpu and not browser"

test-browser: $(VENV)/.installed
	$(BIN)/pytest -m browser

bench: $(VENV)/.installed
	for script in benchmarks/*.py; do $(BIN)/python $$script; done

# mypy and import-linter read files, not import hooks: they need the rooms as one package tree.
tree:
	rm -rf build/tree && mkdir -p $(TREE)
	ln -s $(abspath $(wildcard nuzoo/*)) $(TREE)/
	for room in $(ROOMS); do ln -s $(abspath .)/$$room $(TREE)/$$room; done

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet -c constraints.txt -e ".[tracking,dev]"
	touch $@

clean:
	rm -rf build runs $(VENV)
