#!/usr/bin/env bash
# Sends random requests through the front door of a running stack and prints how often each status came, by route.
# With the profiles async and extended: without them POST /jobs and GET /page/drift are 503, which counts as a failure.
# FUZZ_REQUESTS (100000), FUZZ_SEED (random) and the addresses API_ADDRESS and SERVE_ADDRESS may be given;
# with FUZZ_PAGE=1 it writes docs/fuzzing.md, too.
set -euo pipefail
cd "$(dirname "$0")/../.."
api=${API_ADDRESS:-127.0.0.1:${API_PORT:-8000}} serve=${SERVE_ADDRESS:-127.0.0.1:${SERVE_PORT:-5000}}
seed=${FUZZ_SEED:-$RANDOM$RANDOM}
echo "seed $seed"
exec .venv/bin/python -m tests.harness.fuzzing "$api" "$serve" "${FUZZ_REQUESTS:-100000}" "$seed" "${FUZZ_PAGE:-}"
