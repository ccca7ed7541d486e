# Two commands matter: `make demo` and `make test`. Both need Rust, Node 20 and make; the rest they fetch.
.DEFAULT_GOAL := help
.PHONY: help demo test lint threats corpus explore needs

CARGO ?= cargo
export CARGO_TERM_COLOR ?= auto

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: needs explore ## Start three nations that exchange models; CHECK=1 asserts it and ends, MODEL=DIR publishes your folder too
	$(CARGO) build --locked --workspace --bins
	target/debug/demo $(if $(CHECK),--check) $(if $(MODEL),--model "$(MODEL)")

test: needs explore ## Run every check that CI runs
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	$(CARGO) check --locked -p chancery --no-default-features
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --workspace --no-deps --quiet
	$(CARGO) test --locked --workspace
	$(MAKE) --no-print-directory demo CHECK=1

lint: ## Check form and lints only
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings

threats: needs ## Run the threat tests with their full counts, and print a table
	@printf '%-3s  %-17s %9s  %-7s %6s  %s\n' no. name count result time 'what was counted'
	@CHANCERY_THREATS=full $(CARGO) test --locked -q --workspace --test threats -- --nocapture --test-threads=1 2>&1 \
		| awk '/^T[0-9]+ / { print; next } { said = said $$0 "\n" } /^test result: ok/ { ok = 1 } END { if (!ok) { printf "%s", said; exit 1 } }'

corpus: ## Publish the real model cards in CORPUS=DIR and read them back through a partner
	CHANCERY_CORPUS="$(abspath $(CORPUS))" $(CARGO) test --locked --workspace --test corpus -- --ignored --nocapture

explore: web/explore/dist ## Build the GraphQL explorer's pages

web/explore/dist: web/explore/package.json web/explore/package-lock.json
	cd web/explore && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build
	@touch $@

needs:
	@command -v $(CARGO) >/dev/null || { echo "Rust is missing; install it: https://rustup.rs"; exit 1; }
	@command -v npm >/dev/null || { echo "Node 20 is missing; install it: https://nodejs.org"; exit 1; }
	@command -v bash >/dev/null || { echo "bash is missing; install it: apt-get install --yes bash"; exit 1; }
	@command -v cc >/dev/null || { echo "a C compiler is missing; install it: apt-get install --yes build-essential"; exit 1; }
