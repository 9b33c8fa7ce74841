#!/usr/bin/env bash
# All checks and tests (make test); with arguments only the named folders of tests/.
#
# It uses a Compose project of its own, so a user's running stack and its data are never touched. Where no container
# engine can run, everything that needs no containers is run, and one line names what was left out.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/bootstrap/debian.sh
. scripts/bootstrap/debian.sh
unset COMPOSE_FILE COMPOSE_PROFILES COMPOSE_ENV_FILES
unset PYTHONDONTWRITEBYTECODE # hundreds of processes import the same libraries
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 # as in the images
export COMPOSE_PROJECT_NAME=${TEST_PROJECT:-ml-stack-test}
plain=(unit properties integration wiring)
# One after the other: in parallel on two cores, the time-outs of the shipped services would run out.
with_containers=(documents browser stack chaos attacks swarm)
results=build/tests

has_tests() { compgen -G "tests/$1/test_*.py" >/dev/null || compgen -G "tests/$1/**/test_*.py" >/dev/null; }
wanted() { has_tests "$1" && { [ "${#only[@]}" = 0 ] || [[ " ${only[*]} " == *" $1 "* ]]; }; }
any_wanted() {
    local name
    for name in "$@"; do ! wanted "$name" || return 0; done
    return 1
}
headline() { printf '\n--- %s ---\n' "$*"; }

stage() { # stage NAME COMMAND…: measure its time, record its verdict, continue
    local name=$1 started=$SECONDS verdict=ok
    shift
    headline "$name"
    "$@" || verdict=FAILED
    printf '%-12s %-7s %4d s\n' "$name" "$verdict" $((SECONDS - started)) >>"$results/summary"
}

leave_out() { # leave_out WHAT WHY
    say "left out: $1 ($2)" | tee -a "$results/summary"
}

# shellcheck disable=SC2329 # called through stage
build() { scripts/bootstrap/shared-layers.sh && docker compose --profile '*' build --quiet; }

# shellcheck disable=SC2329 # called through stage
tests() { # several files at a time; integration starts servers as child processes, and waits for them
    local options=()
    case $1 in
        unit | wiring) options=(--numprocesses 2 --dist loadfile) ;;
        integration) options=(--numprocesses 4 --dist loadfile) ;;
        swarm) [ "${#only[@]}" != 0 ] || options=(-m short) ;; # all of them take half an hour: make swarm-test
    esac
    .venv/bin/python -m pytest "tests/$1" --durations=10 --durations-min=5 --junitxml="$results/$1.xml" "${options[@]}"
}

can_nest() { is_root && unshare --net --mount --uts --pid --fork true 2>/dev/null; }

ensure_engine() { # sets engine=yes|no; any other failure than "none can run here" ends the run
    local status=0
    docker info >/dev/null 2>&1 || trap 'clean_up; ! scripts/bootstrap/engine.sh started || scripts/bootstrap/engine.sh stop' EXIT
    scripts/bootstrap/engine.sh ensure || status=$?
    case $status in 0) engine=yes ;; 3) engine=no ;; *) exit "$status" ;; esac
}

# What belongs to this project, and to those that tests make beside it: PROJECT-prod, PROJECT-restored and others. A run
# that was killed leaves them behind.
clean_up() {
    [ "$engine" = yes ] || return 0
    COMPOSE_PROFILES='*' docker compose down --volumes --remove-orphans --timeout 2 >/dev/null 2>&1 || true
    of_the_tests docker ps --all --format '{{.ID}} {{.Names}}' | remove docker rm --force --volumes
    of_the_tests docker network ls --format '{{.ID}} {{.Name}}' | remove docker network rm
    of_the_tests docker volume ls --format '{{.Name}} {{.Name}}' | remove docker volume rm
}
of_the_tests() { # of_the_tests COMMAND…: from its lines "ID NAME", the ids of names that begin as the project's do
    "$@" | awk -v project="$COMPOSE_PROJECT_NAME" 'index($2, project "-") == 1 || index($2, project "_") == 1 { print $1 }'
}
remove() { xargs --no-run-if-empty "$@" >/dev/null 2>&1 || true; }

totals() { # of all stages, in the format of test runners
    cat "$results"/*.xml 2>/dev/null | grep -oE '<testsuite [^>]*>' | awk '
        function number(name) { return match($0, name "=\"[0-9]+") ? substr($0, RSTART + length(name) + 2) + 0 : 0 }
        { failed += number("errors") + number("failures"); skipped += number("skipped"); all += number("tests") }
        END { printf "%d passed, %d failed, %d skipped\n", all - failed - skipped, failed, skipped }'
}

only=("$@")
for folder in tests/*/; do
    name=$(basename "$folder")
    [[ " ${plain[*]} ${with_containers[*]} " == *" $name "* ]] || ! has_tests "$name" ||
        fail "tests/$name belongs to no stage of scripts/develop/test.sh"
done
for name in "${only[@]}"; do has_tests "$name" || fail "there are no tests in tests/$name"; done
rm -rf "$results"
mkdir -p "$results"

trap 'exit 130' INT TERM # end the script, not only the running stage
engine=no
if any_wanted "${with_containers[@]}" || [ "${#only[@]}" = 0 ]; then # some checks need one, too
    trap clean_up EXIT
    ensure_engine
fi
if [ "$engine" = yes ]; then
    clean_up # leftovers of an interrupted run
    scripts/bootstrap/ports.sh
    scripts/bootstrap/base-images.sh ensure-all
fi
scripts/bootstrap/venv.sh
databases=yes
if wanted integration; then scripts/bootstrap/servers.sh databases || { ! is_root || exit 1; databases=no; }; fi
if [ "$engine" = yes ] && wanted browser; then scripts/bootstrap/servers.sh databases || say "going on without"; fi
for folder in /usr/lib/postgresql/*/bin; do PATH=$folder:$PATH; done

[ "${#only[@]}" != 0 ] || stage check scripts/develop/check.sh
if [ "$engine" = no ]; then
    for name in "${with_containers[@]}"; do
        ! wanted "$name" || leave_out "tests/$name" "no container engine can run here"
    done
    with_containers=()
fi
if any_wanted "${with_containers[@]}"; then
    stage build build
    scripts/develop/image-sizes.sh
fi
for name in "${plain[@]}"; do
    wanted "$name" || continue
    if [ "$name" = integration ] && [ "$databases" = no ]; then
        leave_out "tests/integration" "no PostgreSQL and Redis here, and installing them needs root"
    else
        stage "$name" tests "$name"
    fi
done
for name in "${with_containers[@]}"; do
    wanted "$name" || continue
    case $name in documents | browser | swarm) scripts/bootstrap/servers.sh "$name" || say "going on without" ;; esac # its tests say what for
    if [ "$name" = swarm ] && ! can_nest; then
        leave_out "tests/swarm" "it needs root and namespaces, for engines of its own"
    else
        stage "$name" tests "$name"
    fi
done

headline summary
cat "$results/summary"
printf 'total        %d min %d s\n' $((SECONDS / 60)) $((SECONDS % 60))
totals
! grep -q ' FAILED ' "$results/summary"
