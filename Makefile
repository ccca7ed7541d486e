# Two commands matter: `make demo` and `make test`. Both need Rust, Node 20 and make; the rest they fetch.
.DEFAULT_GOAL := help
.PHONY: help demo test lint threats corpus interop explore portal browser postgres token on-postgres go needs

CARGO ?= cargo
export CARGO_TERM_COLOR ?= auto

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: needs explore portal ## Start three nations that exchange models; CHECK=1 asserts it and ends, MODEL=DIR publishes your folder too
	$(CARGO) build --locked --workspace --bins
	target/debug/demo $(if $(CHECK),--check) $(if $(MODEL),--model "$(MODEL)")

test: needs explore portal browser postgres token ## Run every check that CI runs
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	$(CARGO) check --locked -p chancery --no-default-features
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --workspace --no-deps --quiet
	cd web && npm run --silent check && npm test --silent
	$(CARGO) test --locked --workspace
	tests/with-postgres $(MAKE) --no-print-directory on-postgres
	$(CARGO) test --locked --workspace --test tokens -- --ignored
	$(CARGO) test --locked --workspace --test portal -- --ignored --nocapture
	$(MAKE) --no-print-directory demo CHECK=1

# Every test that has a database, on PostgreSQL.
on-postgres:
	$(CARGO) test --locked -p chancery-migrations -p chancery-registry -p chancery-server
	$(CARGO) test --locked -p chancery-tests --test federation --test processes
	$(CARGO) test --locked -p chancery-tests --test threats redact_everywhere

lint: ## Check form and lints only
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings

threats: needs ## Run the threat tests with their full counts, and print a table
	@printf '%-3s  %-17s %9s  %-7s %6s  %s\n' no. name count result time 'what was counted'
	@CHANCERY_THREATS=full $(CARGO) test --locked -q --workspace --test threats -- --nocapture --test-threads=1 2>&1 \
		| awk '/^T[0-9]+ / { print; next } { said = said $$0 "\n" } /^test result: ok/ { ok = 1 } END { if (!ok) { printf "%s", said; exit 1 } }'

corpus: ## Publish the real model cards in CORPUS=DIR and read them back through a partner
	CHANCERY_CORPUS="$(abspath $(CORPUS))" $(CARGO) test --locked --workspace --test corpus -- --ignored --nocapture

interop: needs explore portal browser go target/interop/python target/interop/node ## Let software that we did not write judge signatures and a log, and refuse tampered copies
	$(CARGO) build --locked -p chancery
	$(CARGO) build --locked -p chancery-schema --example ed25519
	tests/interop/run

target/interop/python: tests/interop/requirements.txt
	@python3 -m venv --clear $@ \
		|| { apt-get update -qq && apt-get install --yes --no-install-recommends python3-venv && python3 -m venv --clear $@; } \
		|| { echo "Python's venv is missing; install it: apt-get install --yes python3-venv"; exit 1; }
	$@/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

target/interop/node: tests/interop/package.json tests/interop/package-lock.json
	@mkdir -p $@ && cp $^ $@
	cd $@ && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

explore: web/explore/dist ## Build the GraphQL explorer's pages

web/explore/dist: web/explore/package.json web/explore/package-lock.json
	cd web/explore && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build
	@touch $@

portal: web/dist ## Build the portal's pages

PORTAL := $(shell find web/src web/public web/scripts -type f) $(wildcard web/*.html web/*.json web/*.ts) schema/graphql/chancery.graphql

web/node_modules: web/package.json web/package-lock.json
	cd web && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

web/dist: web/node_modules $(PORTAL)
	cd web && npm run --silent build
	@touch $@

browser:
	@command -v chromium >/dev/null || { apt-get update -qq && apt-get install --yes --no-install-recommends chromium fonts-noto-core fonts-noto-cjk; } \
		|| { echo "Chromium is missing; install it: apt-get install --yes chromium fonts-noto-core fonts-noto-cjk"; exit 1; }

postgres:
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null \
		|| { apt-get update -qq && apt-get install --yes --no-install-recommends postgresql; } \
		|| { echo "PostgreSQL is missing; install it: apt-get install --yes postgresql"; exit 1; }

token:
	@test -e /usr/lib/softhsm/libsofthsm2.so && command -v softhsm2-util >/dev/null \
		|| { apt-get update -qq && apt-get install --yes --no-install-recommends softhsm2; } \
		|| { echo "SoftHSM is missing; install it: apt-get install --yes softhsm2"; exit 1; }

go:
	@{ command -v go && ls /usr/share/gocode/src/golang.org/x/mod/sumdb/tlog; } >/dev/null 2>&1 \
		|| { apt-get update -qq && apt-get install --yes --no-install-recommends golang-go golang-golang-x-mod-dev; } \
		|| { echo "Go is missing; install it: apt-get install --yes golang-go golang-golang-x-mod-dev"; exit 1; }

needs:
	@command -v $(CARGO) >/dev/null || { echo "Rust is missing; install it: https://rustup.rs"; exit 1; }
	@command -v npm >/dev/null || { echo "Node 20 is missing; install it: https://nodejs.org"; exit 1; }
	@command -v bash >/dev/null || { echo "bash is missing; install it: apt-get install --yes bash"; exit 1; }
	@command -v cc >/dev/null || { echo "a C compiler is missing; install it: apt-get install --yes build-essential"; exit 1; }
