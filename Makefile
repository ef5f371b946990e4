# The front door. `make` alone lists what there is.
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help setup run cluster test soak bench figures mutations fuzz package format lint clean
HASH ?= argon2id
ONLY ?=
SECONDS ?= 60
FAULT_SECONDS ?= 60

help: ## this list
	@echo "otpd: send, deliver and verify one-time codes"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST) | expand -t 16

setup: ## install the Debian packages that are missing (root or sudo)
	@tools/setup

run: ## build and start otpd with simulated carriers; open http://127.0.0.1:8080/demo
	@tools/setup --quiet build
	@tools/run

cluster: ## a Redis Cluster, PostgreSQL and five otpd of every role, on this machine
	@tools/setup --quiet build cluster
	@tools/cluster

test: ## build and run every test (ONLY=word: suites with that word in their name)
	@tools/setup --quiet build test lint
	@tools/test $(ONLY)

soak: ## failing carriers and an absent PostgreSQL, a minute each; five million bogus requests
	@tools/setup --quiet build test
	@tools/build release otpd sms-sim
	@cd tests/e2e && npm ci --silent && \
	  OTPD_FAULT_SECONDS=$(FAULT_SECONDS) node --test --test-reporter=spec failover.test.js
	@cd tests/e2e && OTPD_OUTAGE_SECONDS=60 \
	  node --test --test-reporter=spec cluster_audit.test.js
	@cd tests/e2e && OTPD_FLOOD=1000000 node --test --test-reporter=spec flood.test.js

bench: ## throughput, latency and CPU per operation (HASH=hmac: without Argon2id)
	@tools/setup --quiet build
	@tools/build release otpd sms-sim otpd-bench
	@build/release/otpd-bench --hash $(HASH)
	@build/release/otpd-bench --introspect

figures: ## what a cluster costs: CPU of Redis, PostgreSQL and otpd, memory, growth
	@tools/setup --quiet build cluster test
	@tools/build release otpd sms-sim
	@cd tests/e2e && npm ci --silent && \
	  OTPD_FIGURES=strict node --test --test-reporter=spec cluster_figures.test.js

mutations: ## take each defence away and see a test go red (ONLY=word: those with it in their name)
	@tools/setup --quiet build test
	@tools/mutations $(ONLY)

fuzz: ## fuzz every parser (SECONDS=60: for each)
	@tools/setup --quiet build lint
	@tools/fuzz $(SECONDS)

package: ## build the Debian packages, build/otpd_VERSION_ARCH.deb and build/otpd-sim_…
	@tools/setup --quiet build
	@tools/build release otpd sms-sim
	@cd build/release && cpack --config CPackConfig.cmake

format: ## format the C++ in place
	@tools/setup --quiet lint
	@tools/format

lint: ## clang-format and clang-tidy over our C++
	@tools/setup --quiet build lint
	@tools/lint

clean: ## remove what was built (data/ stays)
	rm -rf build
