# `make` prints the targets. The work is done by scripts/; each describes itself at its top.
SHELL := /bin/bash
.DEFAULT_GOAL := help
compose := docker compose

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: ## start the whole stack; install a container engine and build base images where they are missing (Debian, root)
	@scripts/bootstrap/up.sh $(ARGS)

down: ## stop the stack; its data stays (docker compose down --volumes deletes it)
	@$(compose) --profile '*' down --remove-orphans

ps: ## list the services and their health
	@$(compose) ps --all

logs: ## follow the logs of all services
	@$(compose) logs --follow --tail 100

models: ## list the model's versions; ARGS="promote 3", ARGS=rollback and more
	@$(compose) run --rm models $(ARGS)

test: ## every check and every test; STAGES="unit wiring" for some
	@scripts/develop/test.sh $(STAGES)

check: ## the static checks alone
	@scripts/develop/check.sh

chaos: ## faults under load, then five minutes of random faults; CHAOS_SECONDS=3600, or CHAOS_FAULTS=1000 CHAOS_SEED=17
	@CHAOS_SECONDS=$${CHAOS_SECONDS:-300} scripts/develop/test.sh chaos

push: ## build the images for a Swarm and push them to REGISTRY, with TAG
	@scripts/operate/swarm-images.sh

swarm-deploy: ## deploy on the Docker Swarm whose manager docker speaks to; STACK=ml MODEL_DIR=/mnt/models, see docs/scaling.md
	@scripts/operate/swarm-deploy.sh $(STACK)

swarm-test: ## what happens to the stack on three engines whose machines die (27 minutes, root, 12 GB of disk)
	@scripts/develop/test.sh swarm

bench: ## the benchmarks of bench/
	@scripts/bootstrap/venv.sh
	@.venv/bin/python -m bench $(ARGS)

time-to-healthy: ## measure the time from nothing to healthy, per service
	@scripts/develop/time-to-healthy.sh

images: ## build the images and print the size of each
	@scripts/bootstrap/shared-layers.sh
	@$(compose) build --quiet
	@scripts/develop/image-sizes.sh

sbom: ## list what each built image holds: build/sbom/*.json, CycloneDX
	@scripts/bootstrap/venv.sh
	@.venv/bin/python scripts/develop/sbom.py

audit: ## look for known vulnerabilities in what the images install, where PyPI can be asked
	@scripts/bootstrap/venv.sh
	@scripts/develop/audit.sh

lock: ## resolve requirements*.txt into locks; UPGRADE=1 takes the newest versions
	@scripts/bootstrap/venv.sh
	@scripts/develop/lock.sh

clean: ## remove the files and images of checks and tests: caches, .venv
	@docker compose -p ml-stack-test --profile '*' down --volumes --remove-orphans --rmi local 2>/dev/null || true
	@rm -rf .venv build .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help up down ps logs models test check chaos bench time-to-healthy images sbom audit lock clean
