#!/usr/bin/env bash
# Replaces all replicas of a service by as many new ones of the newest image, without a failed request, with the Compose
# files that the running ones were started with. The new replicas are started beside the old ones, one by one, so that
# those that serve keep their share of the processors. When all of the new ones are healthy, the old ones are stopped one by
# one. If one does not become healthy, and on Ctrl-C, the new ones are removed and the old ones go on.
#
#   rolling-update.sh api|model-serve|worker
#
# UPDATE_SECONDS=180 is how long each new replica has to become healthy.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/bootstrap/debian.sh
. scripts/bootstrap/debian.sh
# shellcheck source=scripts/operate/running-stack.sh
. scripts/operate/running-stack.sh
patience=${UPDATE_SECONDS:-180}
case ${1:-} in
api | model-serve | worker) service=$1 ;;
*) sed -n '2,9s/^# \{0,1\}//p' scripts/operate/rolling-update.sh >&2; exit 2 ;;
esac

# A Ctrl-C in the terminal reaches every process of this group. What must not end half-way runs outside of it.
uninterrupted() { setsid --wait "$@"; }

new_replicas() { comm -13 <(printf '%s\n' "${old[@]}" | sort) <(containers "$service" | sort); }

stop_and_remove() { # stop_and_remove CONTAINER…: at once; a server that is stopped answers what it has accepted
    [ $# -gt 0 ] || return 0
    uninterrupted docker stop -t "$(docker inspect --format '{{.Config.StopTimeout}}' "$1")" "$@"
    uninterrupted docker rm --force --volumes "$@"
} >/dev/null

undo() {
    trap '' INT TERM HUP
    mapfile -t new < <(new_replicas)
    stop_and_remove "${new[@]}"
    docker tag "$previous" "$image" # or the next `up` would start what has just failed
    say "nothing has changed: the ${#old[@]} old replicas of $service go on" >&2
}

await_health() { # await_health CONTAINER
    local started=$SECONDS state
    while :; do
        state=$(docker inspect --format '{{.State.Status}} {{.RestartCount}} {{if .State.Health}}{{.State.Health.Status}}{{end}}' "$1")
        case $state in
        'running 0 healthy') return ;;
        'created 0 '* | 'running 0 starting') [ $((SECONDS - started)) -ge "$patience" ] || { sleep 0.5; continue; } ;;
        esac
        docker logs --tail 3 "$1" >&2
        fail "a new replica of $service did not become healthy ($state after $((SECONDS - started)) s)"
    done
}

start_one() { # start one more replica, and wait until it is healthy
    local log before added
    before=$(containers "$service" | sort)
    log=$(COMPOSE_IGNORE_ORPHANS=1 uninterrupted "${compose[@]}" up --detach --no-deps --no-recreate --no-build \
        --scale "$service=$(($(wc -l <<<"$before") + 1))" "$service" 2>&1) || fail "a new replica could not be started: $(tail -n 1 <<<"$log")"
    added=$(comm -13 <(echo "$before") <(containers "$service" | sort))
    await_health "$added"
}

exec 9<scripts/operate/rolling-update.sh
flock --nonblock 9 || fail "another rolling update is under way"
mapfile -t old < <(containers "$service")
[ "${#old[@]}" -gt 0 ] || fail "$service does not run: start it by \`docker compose up -d\`"
use_files_of "${old[@]}"
image=$(docker inspect --format '{{.Config.Image}}' "${old[0]}")
previous=$(docker inspect --format '{{.Image}}' "${old[0]}")

trap undo EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
"${compose[@]}" build --quiet "$service" || fail "the new image of $service could not be built"
[ "$(COMPOSE_PROFILES='*' "${compose[@]}" config --hash "$service")" = "$service $(labels config-hash "${old[@]}")" ] ||
    say "note: the settings of $service have changed since its replicas were started; the new ones get the present settings"
for number in $(seq "${#old[@]}"); do
    say "starting new replica $number of ${#old[@]}"
    start_one
done
sleep 4 # nginx asks Docker's DNS again every two seconds

trap '' INT TERM HUP # from here on the new ones serve
trap - EXIT
say "stopping ${#old[@]} old ones"
for container in "${old[@]}"; do stop_and_remove "$container"; done
"${compose[@]}" ps "$service"
