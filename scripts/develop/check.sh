#!/usr/bin/env bash
# Every static check, two at a time, one line each (make check). Checks that this machine cannot run are listed as left out.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/bootstrap/debian.sh
. scripts/bootstrap/debian.sh
scripts/bootstrap/venv.sh
PATH=$PWD/.venv/bin:$PWD/build/bin:$PATH # build/bin: Compose, where there is no docker command
export PYTHONDONTWRITEBYTECODE=1
results=$(mktemp -d)
project=ml-stack-check

run() { # run NAME COMMAND…
    local name=$1 output started=$EPOCHREALTIME verdict=ok
    shift
    output=$("$@" 2>&1) || verdict=FAIL
    touch "$results/$verdict $name"
    printf '%-5s %s (%s s)\n' "$verdict" "$name" "$(awk -v a="$started" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')"
    [ "$verdict" = ok ] || printf '%s\n' "$output" | sed 's/^/      /'
}

check() { # check NAME COMMAND…: in the background, as soon as one of two places is free
    while [ "$(jobs -rp | wc -l)" -ge 2 ]; do wait -n || true; done
    run "$@" &
}

left_out() { # left_out NAME WHY
    touch "$results/left out $1"
    echo "left out: $1 ($2)"
}

compose() { if command -v docker >/dev/null; then docker compose "$@"; else docker-compose "$@"; fi; }

compose_lint() { # the main file as it is read in development, then each overlay merged into it
    local overlay options=(--strict-config --skip-suppressed --fail-on low --config "$PWD/.compose-lint.yaml") status=0
    compose-lint check "${options[@]}" docker-compose.yaml || status=1
    for overlay in $(overlays); do
        [ "$overlay" != docker-compose.override.yaml ] || continue
        mkdir -p "build/merged/$overlay"
        ln -sf ../../../.env "build/merged/$overlay/.env"
        compose -f docker-compose.yaml -f "$overlay" config --no-interpolate >"build/merged/$overlay/docker-compose.yaml"
        compose-lint check "${options[@]}" --no-merge-overrides "build/merged/$overlay/docker-compose.yaml" || status=1
    done
    return "$status"
}

# The Swarm's has variables of its own, which swarm-deploy.sh sets: tests/wiring/test_swarm.py reads it.
overlays() { compgen -G 'docker-compose.*.yaml' | grep -v swarm || true; }

compose_config() { # the main file with every set of overlays, without and with all profiles
    local files count set i arguments profiles
    mapfile -t files < <(overlays)
    count=${#files[@]}
    for ((set = 0; set < 1 << count; set++)); do
        arguments=(-f docker-compose.yaml)
        for ((i = 0; i < count; i++)); do
            if ((set >> i & 1)); then arguments+=(-f "${files[i]}"); fi
        done
        for profiles in '' '*'; do
            COMPOSE_PROFILES=$profiles compose "${arguments[@]}" config --quiet ||
                { echo "docker compose ${arguments[*]} config --quiet (profiles: '$profiles')"; return 1; }
        done
    done
}

# In the service itself: with its own mounts, user and read-only root.
in_service() { docker compose -f docker-compose.yaml -p "$project" run --rm --no-deps -T "$@"; }
nginx_test() { in_service nginx nginx -t; }
promtool() {
    in_service --entrypoint promtool prometheus check config /etc/prometheus/prometheus.yml
}

sources() { find . \( -name '.?*' -o -name build \) -prune -o -name "$1" -print; }
mapfile -t dockerfiles < <(sources Dockerfile)
mapfile -t shell_scripts < <(sources '*.sh')

check 'mypy --strict' mypy --strict --exclude '^build/' .
check 'import layers' lint-imports --no-cache
check 'ruff check' ruff check --quiet .
check 'ruff format --check' ruff format --check --quiet .
check hadolint hadolint "${dockerfiles[@]}"
check shellcheck shellcheck -x .ci/run "${shell_scripts[@]}"
check yamllint yamllint --strict .
if compose version >/dev/null 2>&1; then
    check 'docker compose config, every combination' compose_config
    check compose-lint compose_lint
else
    left_out 'docker compose config, compose-lint' 'no Docker Compose here; make up installs it'
fi
if docker info >/dev/null 2>&1; then
    mapfile -t images < <(scripts/bootstrap/base-images.sh needed | grep -E '^(nginx|prom/prometheus):')
    scripts/bootstrap/base-images.sh ensure "${images[@]}"
    check 'nginx -t' nginx_test
    check 'promtool check config' promtool
else
    left_out 'nginx -t, promtool check config' 'no container engine answers; make up installs one'
fi
wait
! docker info >/dev/null 2>&1 || docker compose -f docker-compose.yaml -p "$project" down --volumes >/dev/null 2>&1

count() { find "$results" -name "$1 *" | wc -l; }
failed=$(count FAIL)
echo "checks: $(count ok) ok, $failed failed, $(count 'left out') left out"
rm -rf "$results"
[ "$failed" = 0 ]
