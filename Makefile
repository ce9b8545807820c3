# Two commands for a fresh Debian 12: `make run` and `make test`. Each brings its own set-up (tools/set_up.py).

PYTHON := .venv/bin/python
BUDGET ?= 55
OUT ?= out/smoke
export PYTHONUNBUFFERED := 1

# The names of UNIX sockets hold 107 bytes: a clone in a deep folder keeps its state in the home directory instead.
run_dir := $(shell [ $$(pwd | wc -c) -gt 60 ] && echo $(HOME)/.cache/yikatong/$$(pwd | cksum | cut -d' ' -f1))
run_options := $(if $(run_dir),--run-dir $(run_dir)) $(if $(WORLD),--world $(WORLD)) $(if $(PIN_MODE),--pin-mode $(PIN_MODE)) $(if $(SIZE),--size $(SIZE))
smoke_options := $(if $(WORLD),--world $(WORLD)) $(if $(PIN_MODE),--pin-mode $(PIN_MODE)) $(if $(SIZE),--size $(SIZE)) --out $(OUT)

.PHONY: bundle image test-image package run fleet test slow check smoke bench simulate mutants setup setup-tests setup-image clean
.DEFAULT_GOAL := run

run: setup ## The whole terminal in a browser: WORLD=file.toml PIN_MODE=A|B SIZE=1080x1920
	@exec $(PYTHON) -m simulators run $(run_options)

fleet: setup ## The fleet's server and console on loopback: TERMINALS=n that ask it
	@exec $(PYTHON) -m simulators fleet $(if $(run_dir),--run-dir $(run_dir)/fleet) $(if $(TERMINALS),--terminals $(TERMINALS))

test: setup-tests check ## Checks and the suite, within 15 minutes
	@exec $(PYTHON) -m pytest -m "not slow" --numprocesses auto --dist loadfile

slow: setup-tests ## What takes longer, within BUDGET minutes; prints what was skipped
	@exec $(PYTHON) tools/slow.py --budget-min $(BUDGET)

check: setup ## ruff, mypy strict, import-linter, tidy
	@exec $(PYTHON) tools/check.py

image: setup-image package ## The bootable image: out/image/yikatong.img; DEBIAN_SNAPSHOT=moment DEBIAN_MIRROR=archive pin Debian
	@exec $(PYTHON) -m image.build

test-image: setup-tests image ## The image in a machine that is a program: boots, screens, power cuts
	@exec $(PYTHON) -m pytest -m appliance tests/appliance

bundle: setup-image ## An update bundle of a root: ROOT=file CERTIFICATE=pem KEY=pem|pkcs11: AUTHORITY=pem
	@exec $(PYTHON) image/bundle/bundle.py --root $(or $(ROOT),out/image/root.img) --certificate "$(CERTIFICATE)" --key "$(KEY)" --authority "$(AUTHORITY)" --out out/image

smoke: setup-tests ## Residents' visits, bills and a staff visit on the real stack, judged from outside: WORLD=file.toml OUT=dir
	@exec $(PYTHON) -m simulators smoke $(smoke_options)

bench: setup-tests ## One JSON object a line: GROUP=ui|card|serial|journal|cash|hotlist|queue|simulation|fleet|agent
	@exec $(PYTHON) -m simulators bench $(if $(GROUP),--group $(GROUP))

simulate: setup ## Whole kiosks in memory with faults and power cuts: SEED=n RUNS=n KEEP=dir; ends with one JSON line
	@exec $(PYTHON) -m simulators simulate $(if $(SEED),--seed $(SEED)) $(if $(RUNS),--runs $(RUNS)) $(if $(KEEP),--out $(KEEP))

mutants: setup-tests ## Planted bugs that the simulation must find: RUNS=n ONLY=words; GENERIC=50: small changes anywhere
	@exec $(PYTHON) $(if $(GENERIC),tools/mutants_generic.py $(GENERIC) $(if $(SAMPLE),--sample $(SAMPLE)),tools/mutants.py $(if $(RUNS),--runs $(RUNS)) $(if $(ONLY),--only "$(ONLY)"))

package: setup-image ## The Debian package of a terminal: out/package/yikatong_*.deb
	@exec $(PYTHON) -m image.package

setup:
	@exec /usr/bin/python3 tools/set_up.py

setup-tests:
	@exec /usr/bin/python3 tools/set_up.py --tests

setup-image: ## What image, package and containers are made with
	@exec /usr/bin/python3 tools/set_up.py --image

clean: ## Everything that was made here; Debian packages stay
	rm -rf .venv .setup .run $(run_dir) out build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find . -name '*.mo' -delete
