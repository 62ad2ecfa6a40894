# Everything a developer runs. `make` alone lists the targets.

SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

GO        ?= go
NPM       ?= npm
FUZZTIME  ?= 30s
# Not the packages that run built programs: the race detector would not see into those.
RACE_PKGS ?= ./exporter/... ./internal/access/... ./internal/alertmanager/... ./internal/app/... ./internal/central/... ./internal/claim/... ./internal/client/... ./internal/extsock/... ./internal/ledger/... ./internal/logql/... ./internal/lokiapi/... ./internal/memnet/... ./internal/notify/... ./internal/pages/... ./internal/pm2/... ./internal/procfs/... ./internal/prom/... ./internal/recorder/... ./internal/safefile/... ./internal/scrub/... ./internal/server/... ./internal/ship/... ./internal/sourcemap/... ./internal/up/... ./internal/watch/... ./sessionstore/...
GOTESTFLAGS ?=

CACHE := $(CURDIR)/.cache
TOOLS := $(CACHE)/bin
# What tests run under Next and Nuxt.
NEXT_APP := ext/test/slow-frameworks/next-app
NUXT_APP := ext/test/slow-frameworks/nuxt-app

# One set of build flags everywhere: packages built with other flags share nothing in Go's cache, and two full builds cost
# minutes. -trimpath makes builds reproducible; without cgo the tests run what ships.
export CGO_ENABLED ?= 0
export GOFLAGS := $(filter-out -trimpath,$(shell $(GO) env GOFLAGS 2>/dev/null)) -trimpath

VERSION  ?= $(shell git describe --tags --match 'v[0-9]*' --dirty 2>/dev/null | sed 's/^v//')
REVISION := $(shell git rev-parse HEAD 2>/dev/null)
BRANCH   := $(shell git rev-parse --abbrev-ref HEAD 2>/dev/null)
# The commit's date, not the clock's, so that the same commit gives the same binary.
DATE     := $(shell git log -1 --format=%cd --date=format:%Y%m%d-%H:%M:%S 2>/dev/null)
VPKG     := github.com/prometheus/common/version
LDFLAGS  := -s -w -X $(VPKG).Version=$(or $(VERSION),0.0.0-dev) -X $(VPKG).Revision=$(or $(REVISION),unknown) \
            -X $(VPKG).Branch=$(or $(BRANCH),unknown) -X $(VPKG).BuildDate=$(DATE)

need = command -v $(1) >/dev/null || { echo "make $@: '$(1)' is missing; $(2)" >&2; exit 1; }
need_go   = $(call need,$(GO),install Go 1.26 or later: https://go.dev/doc/install)
need_node = $(call need,node,install Node.js 18 or later with npm: https://nodejs.org)
need_npm  = $(call need,$(NPM),it comes with Node.js: https://nodejs.org)

.PHONY: help
help: ## List the targets
	@echo "usage: make TARGET"; echo
	@awk -F ':.*## ' '/^[a-z0-9.-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##### Build and run

.PHONY: build
build: ## Build the programs into bin/
	@$(need_go)
	@mkdir -p bin
	@for main in cmd/*/main.go; do \
	  [ -e "$$main" ] || { echo "make build: no program under cmd/" >&2; exit 1; }; \
	  name=$$(basename "$$(dirname "$$main")"); \
	  note=; [ -e "bin/$$name" ] || note=' (the first build takes some minutes)'; \
	  echo "building bin/$$name$$note"; \
	  $(GO) build -ldflags '$(LDFLAGS)' -o "bin/$$name" "./cmd/$$name"; \
	done

.PHONY: demo
demo: ## Start the example apps under PM2 with pm25 up on them
	@$(need_go)
	@$(need_node)
	@$(need_npm)
	@$(MAKE) --no-print-directory build pm2
	@$(GO) build -o $(CACHE)/pm25-demo ./examples/demo
	@exec $(CACHE)/pm25-demo

##### Containers

DOCKER ?= docker
IMAGES  = $(addprefix $(REGISTRY_PREFIX),$(shell grep -v '^\#' images.txt))

# Grafana reads the file as a user of its own; the folder keeps others on this machine out.
.PHONY: compose-secrets
compose-secrets: ## Make the password of Grafana's admin for docker-compose.yml
	@mkdir -p -m 0700 deploy/compose/secrets
	@file=deploy/compose/secrets/grafana_admin_password; \
	if [ -e "$$file" ]; then echo "$$file is there already"; exit 0; fi; \
	head -c 18 /dev/urandom | base64 | tr '+/' '-_' | tr -d '\n' >"$$file"; chmod 0644 "$$file"; \
	echo "the password of Grafana's user admin is in $$file"

.PHONY: images-save
images-save: ## Write every image of docker-compose.yml to pm25-images.tar, for networks without a registry
	$(DOCKER) save -o pm25-images.tar $(IMAGES)

.PHONY: images-load
images-load: ## Read the images of pm25-images.tar
	$(DOCKER) load -i pm25-images.tar

##### Check

.PHONY: test-compose
test-compose: ## Load docker-compose.yml as docker compose does, and check it
	@$(need_go)
	cd tools/compose && $(GO) test ./...

.PHONY: test
test: pm2 ## Vet and test everything, against a real PM2
	@$(need_go)
	@mkdir -p $(CACHE)
	@echo "go vet ./..."
	@$(GO) vet ./...
	@echo "go test ./... (compiles first; a cold cache takes some minutes)"
	@rc=0; start=$$SECONDS; \
	$(GO) test -timeout 10m $(GOTESTFLAGS) ./... 2>&1 | tee $(CACHE)/test.log || rc=$$?; \
	awk -v s=$$((SECONDS - start)) ' \
	  /^ok[ \t]/ { ok++ } /^FAIL[ \t]/ { bad++; list = list " " $$2 } \
	  END { printf "\n%d s; log in .cache/test.log\n", s; \
	        if (bad) printf "failed:%s\n", list; \
	        printf "packages: %d passed, %d failed\n", ok, bad }' $(CACHE)/test.log; \
	exit $$rc

.PHONY: test-ext
test-ext: pm2 ext/node_modules/.installed ext/test/frameworks/node_modules/.installed ## Test the Node extension: units, frameworks, PM2
	cd ext && $(NPM) test --silent

.PHONY: race
race: pm2 ## Test RACE_PKGS with the race detector (needs a C compiler)
	@$(need_go)
	@$(call need,gcc,the race detector needs cgo)
	CGO_ENABLED=1 $(GO) test -race -short -timeout 15m $(GOTESTFLAGS) $(RACE_PKGS)

# A failure leaves its input in testdata, which fails again. That the time was up in the middle of an input, which Go
# calls a failure too, leaves none.
.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME (30s)
	@$(need_go)
	@n=0; said=$$(mktemp); trap 'rm -f "$$said"' EXIT; set -o pipefail; \
	while IFS=: read -r file func; do \
	  n=$$((n + 1)); dir=$$(dirname "$$file"); \
	  echo "fuzz $$func in $$dir for $(FUZZTIME)"; \
	  $(GO) test -run '^$$' -fuzz "^$$func\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1x "./$$dir" </dev/null 2>&1 | tee "$$said" || { \
	    grep -q '^ *context deadline exceeded$$' "$$said" && ! grep -qE 'Failing input|failure while|panic|hung|_test\.go' "$$said" || exit 1; \
	    echo "only its time was up"; }; \
	done < <(git ls-files -co --exclude-standard -- '*_test.go' | sort | xargs -r awk ' \
	  /^func Fuzz[A-Za-z0-9_]*\([a-z_]+ \*testing\.F\)/ { f = $$2; sub(/\(.*/, "", f); print FILENAME ":" f }'); \
	echo "fuzzed $$n targets"

.PHONY: lint
lint: tools-lint ext/node_modules/.installed ## Run the linters and check the formatting
	$(TOOLS)/golangci-lint run ./...
	cd ext && $(NPM) run --silent lint && $(NPM) run --silent types

.PHONY: fmt
fmt: tools-lint ## Format the Go code
	$(TOOLS)/golangci-lint fmt ./...

.PHONY: generate
generate: ## Regenerate generated files (docs/metrics.md, rules/generated, …)
	@$(need_go)
	$(GO) generate ./...

# Compares the tree with itself, not with the last commit, so that it also works while there is uncommitted work.
.PHONY: check-generated
check-generated: ## Fail when generated files are stale
	@mkdir -p $(CACHE)
	@sums() { git ls-files -co --exclude-standard -z | sort -z | xargs -0 sha256sum 2>/dev/null || true; }; \
	sums >$(CACHE)/generated.before; \
	$(MAKE) --no-print-directory generate; \
	$(GO) run ./cmd/pm25 generate --check @deploy/compose/generate.flags deploy/compose/generated; \
	sums >$(CACHE)/generated.after; \
	changed=$$(comm -13 <(sort $(CACHE)/generated.before) <(sort $(CACHE)/generated.after) | cut -c67-); \
	if [ -n "$$changed" ]; then \
	  echo "stale, regenerated just now, commit them:" >&2; echo "$$changed" | sed 's/^/  /' >&2; exit 1; \
	fi; \
	echo "generated files are up to date"

.PHONY: check-metrics
check-metrics: tools-prom ## Check the golden metrics with promtool
	@n=0; \
	for f in $$(git ls-files -co --exclude-standard -- 'exporter/testdata/*.prom' 'exporter/testdata/**/*.prom'); do \
	  n=$$((n + 1)); \
	  $(TOOLS)/promtool check metrics <"$$f" || { echo "$$f: see above" >&2; exit 1; }; \
	done; \
	echo "promtool checked $$n files"

##### Longer runs

.PHONY: bench
bench: build pm2 peer ## Measure the agent, beside another exporter
	$(GO) run ./internal/bench

.PHONY: bench-store
bench-store: tools-loki ## Measure the store: pushes beside raw inserts and Loki, and the queries of dashboards: half an hour, 15 GB
	LOKI=$(TOOLS)/loki $(GO) test -tags=storebench -timeout 120m -v $(GOTESTFLAGS) ./internal/storebench/

.PHONY: bench-boards
bench-boards: ## Open each dashboard with 500 hosts of 20 processes, and write how long it takes: 4 GB, some minutes
	BOARDS_WRITE=1 $(GO) test -tags=boards -timeout 120m -run '^TestTimes$$' -v $(GOTESTFLAGS) ./dashboards

.PHONY: matrix
matrix: pm2-all ## Test against every supported PM2
	$(GO) test -tags=matrix -timeout 60m $(GOTESTFLAGS) ./internal/matrix/...

.PHONY: test-ext-all
test-ext-all: pm2-all $(foreach d,ext ext/test/frameworks ext/test/slow-frameworks tools/node,$(d)/node_modules/.installed) ## Test the extension on each Node and PM2, and with Next and Nuxt
	cd ext && node test/versions.js --frameworks 16 18 20 22 24
	cd ext && $(NPM) run --silent test:slow
	cd ext && for major in 5 6; do PM2_MAJOR=$$major node --test --test-concurrency=1 test/pm2/*.test.js; done

.PHONY: mixed-host
mixed-host: pm2 ext/test/frameworks/node_modules/.installed $(NEXT_APP)/.next/BUILD_ID ## Turn the extension on and off beside Python, bash, npm, tsx and Next
	@$(call need,python3,one of the apps is written in it)
	$(GO) test -tags=routes -timeout 20m -v $(GOTESTFLAGS) ./internal/mixedhost/...

.PHONY: bench-ext
bench-ext: pm2 ext/bench/node_modules/.installed ## Measure what the extension costs an app, beside others
	cd ext/bench && node hot.js && node compare.js

# Times each fault; each has a server and a shipper of its own, which mostly wait.
FAULT_ROUNDS ?= 200
.PHONY: faults
faults: ## Kill, cut off and fill up what takes records to the store, and count what is lost: half an hour
	PM25_FAULT_ROUNDS=$(FAULT_ROUNDS) $(GO) test -tags=faults -timeout 180m -parallel 9 -v $(GOTESTFLAGS) ./internal/faults/...

.PHONY: outage
outage: pm2 ## Be away for ten minutes in which an app crashes five times
	$(GO) test -tags=faults -timeout 30m -run '^TestLongOutage$$' -v $(GOTESTFLAGS) ./internal/servertest

.PHONY: arrivals
arrivals: pm2-all $(foreach d,ext/test/frameworks tools/loggers,$(d)/node_modules/.installed) ## See what goes wrong in apps arrive in a store, once each, under each PM2: a quarter of an hour
	$(GO) test -tags=arrivals -timeout 60m -parallel 3 -v $(GOTESTFLAGS) ./internal/arrivals/...

.PHONY: chain
chain: pm2 tools-prom ## Measure the way from a cause to the message, kill pm25 up, fill its disk: three quarters of an hour
	$(GO) test -tags=chain -timeout 120m -v $(GOTESTFLAGS) ./internal/chain/...

# Most acts wait: all of them at the same time are an hour and a half, one after the other many.
ALERTS_RUN ?= ^Test(Causes|Storm)
.PHONY: alerts
alerts: pm2 tools-prom ## Cause each trouble and see what is told of it, with every link followed: an hour and a half
	$(GO) test -tags=alerts -timeout 120m -parallel 40 -run '$(ALERTS_RUN)' -v $(GOTESTFLAGS) ./internal/alerts/

.PHONY: alerts-calm
alerts-calm: pm2 ## Work on healthy apps for PM25_ALERTS_HOUR (1h), and see that nothing is told
	$(GO) test -tags=alerts -timeout 120m -parallel 4 -run '^TestCalm$$' -v $(GOTESTFLAGS) ./internal/alerts/

.PHONY: routes
routes: pm2-all tools-prom $(foreach d,ext ext/test/frameworks tools/node,$(d)/node_modules/.installed) $(NEXT_APP)/.next/BUILD_ID $(NUXT_APP)/.output/server/index.mjs ## Count requests from the app to the histogram: frameworks, Nodes, PM2s, kills, floods: half an hour
	$(GO) test -tags=routes -timeout 60m -v $(GOTESTFLAGS) ./internal/routes/...

.PHONY: loki-conformance
loki-conformance: tools-loki ## Ask a real Loki and our read API the same (the first build of Loki takes some minutes)
	LOKI=$(TOOLS)/loki LOGCLI=$(TOOLS)/logcli $(GO) test -tags=oracle -timeout 10m -v $(GOTESTFLAGS) -run 'Loki|Logcli' ./internal/lokiapi/

.PHONY: record-leaks
record-leaks: ## Record anew what memory healthy and leaking services use: a quarter of an hour
	@$(need_go)
	@$(need_node)
	$(GO) run ./internal/leaks/record
	PM25_LEAKS_WRITE=1 $(GO) test -run '^TestLeaks$$' -v $(GOTESTFLAGS) ./internal/leaks/

.PHONY: pictures
pictures: pm2 tools/pictures/node_modules/.installed ## Take the pictures in docs/pictures anew, with Chromium
	@$(call need,chromium,install the packages chromium and fonts-noto-cjk)
	$(GO) test -tags=pictures -timeout 10m -v $(GOTESTFLAGS) ./internal/pictures/...

BOARDS := tools/boards
$(BOARDS)/dist/index.html: $(BOARDS)/node_modules/.installed $(BOARDS)/index.html $(BOARDS)/vite.config.js $(wildcard $(BOARDS)/src/*) $(wildcard $(BOARDS)/src/panels/*)
	@cd $(BOARDS) && node node_modules/vite/bin/vite.js build --logLevel=error

PM25_URL ?= http://127.0.0.1:9725
BOARDS_PORT ?= 9727
.PHONY: boards
boards: $(BOARDS)/dist/index.html ## Show the boards without Grafana, on what pm25 up at PM25_URL has
	@echo "the boards are on http://127.0.0.1:$(BOARDS_PORT)/d/pm25-fleet, with the data of $(PM25_URL)"
	@cd $(BOARDS) && PM25_URL=$(PM25_URL) PORT=$(BOARDS_PORT) exec node node_modules/vite/bin/vite.js preview --logLevel=warn

.PHONY: board-pictures
board-pictures: pm2 tools/pictures/node_modules/.installed $(BOARDS)/dist/index.html ## Take the pictures in docs/pictures/boards anew, which takes a quarter of an hour
	@$(call need,chromium,install the packages chromium and fonts-noto-cjk)
	@$(call need,pngquant,install the package pngquant)
	$(GO) test -tags=boards -timeout 40m -v $(GOTESTFLAGS) -run TestBoards ./internal/pictures/...
	pngquant --force --skip-if-larger --strip --ext .png docs/pictures/boards/*.png || [ $$? = 98 ]
	@large=$$(find docs/pictures/boards -name '*.png' -size +300k); [ -z "$$large" ] || { echo "make $@: larger than 300 KB: $$large" >&2; exit 1; }

.PHONY: soak
soak: pm2 tools-prom tools-prom-2.42 ## Hold the counters to their promises, for a quarter of an hour
	$(GO) test -tags=soak -timeout 60m -v $(GOTESTFLAGS) ./internal/soak/...

##### Tools, each installed only when missing or out of date

# Scripts of the packages never run: PM2 needs none of them.
define npm_ci
$(1)/node_modules/.installed: $(1)/package.json $(1)/package-lock.json
	@$$(need_node)
	@$$(need_npm)
	@echo "installing from npm into $(1)"
	@cd $(1) && $$(NPM) ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $$@
endef
NPM_DIRS := tools/pm2/7 tools/pm2/6 tools/pm2/5 tools/peer tools/pictures tools/boards tools/node tools/loggers ext ext/test/frameworks ext/test/slow-frameworks ext/bench
$(foreach d,$(NPM_DIRS),$(eval $(call npm_ci,$(d))))

.PHONY: pm2
pm2: tools/pm2/7/node_modules/.installed ## Install the PM2 that tests run against
	@:

.PHONY: pm2-all
pm2-all: pm2 tools/pm2/6/node_modules/.installed tools/pm2/5/node_modules/.installed peer ## Install every PM2 of the matrix
	@:

.PHONY: peer
peer: tools/peer/node_modules/.installed ## Install the exporter that benchmarks compare with
	@:

# Each build takes most of a minute. What a standalone Next serves as it is has to be put beside it.
$(NEXT_APP)/.next/BUILD_ID: ext/test/slow-frameworks/node_modules/.installed $(shell git ls-files $(NEXT_APP))
	cd $(NEXT_APP) && NEXT_TELEMETRY_DISABLED=1 NODE_ENV=production node ../node_modules/next/dist/bin/next build
	cp -r $(NEXT_APP)/public $(NEXT_APP)/.next/standalone/next-app/
	cp -r $(NEXT_APP)/.next/static $(NEXT_APP)/.next/standalone/next-app/.next/
	@touch $@

$(NUXT_APP)/.output/server/index.mjs: ext/test/slow-frameworks/node_modules/.installed $(shell git ls-files $(NUXT_APP))
	cd $(NUXT_APP) && NUXT_TELEMETRY_DISABLED=1 node ../node_modules/nuxt/bin/nuxt.mjs build
	@touch $@

# $(1): program, $(2): folder under tools/, $(3): package, $(4): further flags
define go_tool
$(TOOLS)/$(1): tools/$(2)/go.mod tools/$(2)/go.sum
	@$$(need_go)
	@mkdir -p $(TOOLS)
	@echo "building $(1) (a cold build takes some minutes)"
	@cd tools/$(2) && $$(GO) build -o $$@ $(4) $(3)
	@touch $$@
endef
# Version numbers that the programs print. Prometheus 3.N is v0.3NN as a module.
prom_version = $(shell sed -n 's,.*github.com/prometheus/prometheus v0\.3\([0-9]*\)\.\([0-9]*\).*,3.\1.\2,p' tools/prom/go.mod)
am_version = $(shell sed -n 's,.*github.com/prometheus/alertmanager v\([0-9.]*\).*,\1,p' tools/prom/go.mod)
# Service discovery of clouds doubles the build; file and http discovery stay.
prom_flags = -tags=remove_all_sd -ldflags '-s -w -X $(VPKG).Version=$(prom_version)'

$(eval $(call go_tool,golangci-lint,lint,github.com/golangci/golangci-lint/v2/cmd/golangci-lint,-ldflags '-s -w'))
$(eval $(call go_tool,gofumpt,lint,mvdan.cc/gofumpt,-ldflags '-s -w'))
$(eval $(call go_tool,promtool,prom,github.com/prometheus/prometheus/cmd/promtool,$(prom_flags)))
$(eval $(call go_tool,prometheus,prom,github.com/prometheus/prometheus/cmd/prometheus,$(prom_flags)))
$(eval $(call go_tool,loki,loki,github.com/grafana/loki/v3/cmd/loki,-ldflags '-s -w'))
$(eval $(call go_tool,logcli,loki,github.com/grafana/loki/v3/cmd/logcli,-ldflags '-s -w'))
$(eval $(call go_tool,amtool,prom,github.com/prometheus/alertmanager/cmd/amtool,-ldflags '-s -w -X $(VPKG).Version=$(am_version)'))

.PHONY: tools-lint
tools-lint: $(TOOLS)/golangci-lint $(TOOLS)/gofumpt ## Build golangci-lint and gofumpt into .cache/bin/
	@:

.PHONY: tools-prom
tools-prom: $(TOOLS)/promtool $(TOOLS)/amtool $(TOOLS)/prometheus ## Build promtool, amtool and a Prometheus server into .cache/bin/
	@:

.PHONY: tools-loki
tools-loki: $(TOOLS)/loki $(TOOLS)/logcli ## Build a Loki and its command line into .cache/bin/
	@:

$(TOOLS)/prometheus-2.42: tools/prom-2.42/fetch
	@mkdir -p $(TOOLS)
	@tools/prom-2.42/fetch $@

.PHONY: tools-prom-2.42
tools-prom-2.42: $(TOOLS)/prometheus-2.42 ## Take Prometheus 2.42 out of Debian 12's package, without installing it
	@:

##### Clean

.PHONY: clean
clean: ## Remove what was built, but not the tools
	rm -rf bin $(CACHE)/test.log $(CACHE)/generated.before $(CACHE)/generated.after

.PHONY: distclean
distclean: clean ## Remove the tools and the installed PM2s too
	rm -rf $(CACHE) $(addsuffix /node_modules,$(NPM_DIRS)) ext/test/slow-frameworks/*/.next ext/test/slow-frameworks/*/.nuxt ext/test/slow-frameworks/*/.output
