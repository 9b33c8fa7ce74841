#!/usr/bin/env bash
# The public images that the stack is built on.
#
#   base-images.sh needed            list those of the Dockerfiles, and of the Compose files with the present settings
#   base-images.sh ensure [IMAGE…]   pull those that are missing (default: of the needed ones); if no registry can be
#                                    reached, build stand-ins from Debian packages
#   base-images.sh ensure-possible   the same, but name and skip images that can neither be pulled nor built
#   base-images.sh ensure-all        the same for every overlay and profile
#   base-images.sh list              list the images that are here: public or stand-in
#   base-images.sh pull              replace the stand-ins by the public images, once a registry can be reached
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/bootstrap/debian.sh
. scripts/bootstrap/debian.sh
patience=6 # seconds without an answer after which a registry counts as unreachable

have() { docker image inspect "$1" >/dev/null 2>&1; }

compose_images() { # those that Compose does not build itself: what it builds, it names PROJECT-SERVICE
    local images services project
    images=$(docker compose config --images) || return
    services=$(docker compose config --services) || return
    project=$(docker compose config | sed -n 's/^name: //p') || return
    comm -23 <(sort -u <<<"$images") <(awk -v project="$project" '{ print project "-" $0 }' <<<"$services" | sort)
}

dockerfile_images() { # those of the FROM lines, without the names of earlier stages
    find . -maxdepth 2 -name Dockerfile -exec awk '
        FNR == 1 { split("", stage) }
        toupper($1) == "FROM" {
            at = ($2 ~ /^--/) ? 3 : 2
            if (!($at in stage) && $at !~ /\$/) print $at
            if (toupper($(at + 1)) == "AS") stage[$(at + 2)]
        }' {} +
}

needed() { { compose_images && dockerfile_images; } | sort -u; }

# `docker pull` prints "Pulling from …" as soon as the registry has answered; from then on it has no time limit.
# The engine is asked, and not the registry, because the engine may use mirrors and proxies.
pull() {
    local image=$1 log pid status=0
    log=$(mktemp)
    docker pull "$image" >"$log" 2>&1 &
    pid=$!
    for _ in $(seq $((patience * 5))); do
        ! grep -q 'Pulling from' "$log" || break
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.2
    done
    grep -q 'Pulling from' "$log" || kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || status=1
    [ -s "$log" ] || echo "no answer from the registry of $image" >"$log"
    if [ "$status" = 0 ]; then say "pulled  $image"; else tail -n 1 "$log" | cut -c1-160 >&2; fi
    rm -f "$log"
    return "$status"
}

needed_by_all() { # `needed` for every overlay and profile
    local overlay
    {
        needed
        for overlay in docker-compose.*.yaml; do
            [[ $overlay != docker-compose.swarm* ]] || continue # no other image; swarm-deploy.sh sets its variables
            COMPOSE_FILE=docker-compose.yaml:$overlay COMPOSE_PROFILES='*' compose_images
        done
    } | sort -u
}

has_stand_in() { awk -v image="$1" '$1 == image { found = 1 } END { exit !found }' base-images/stand-ins.txt; }

ensure() {
    local image missing=() build=()
    for image in "$@"; do
        have "$image" || missing+=("$image")
    done
    for image in "${missing[@]}"; do # after the first failure try no other: each could take `patience` seconds
        if [ ${#build[@]} -gt 0 ] || ! pull "$image"; then build+=("$image"); fi
    done
    if [ -n "${leave_out:-}" ]; then
        for image in "${!build[@]}"; do
            has_stand_in "${build[image]}" || { say "left out: ${build[image]} (cannot be pulled, and has no stand-in)"; unset "build[image]"; }
        done
    fi
    [ ${#build[@]} -gt 0 ] || return 0
    say "cannot be pulled; building stand-ins from Debian packages (a minute or two): ${build[*]}"
    base-images/build.sh "${build[@]}"
}

stand_ins() { # the images of base-images/stand-ins.txt that are here, each after "stand-in" or "public"
    local image label
    while read -r image _; do
        have "$image" || continue
        label=$(docker image inspect -f '{{index .Config.Labels "standin.for"}}' "$image")
        if [ "$label" = "$image" ]; then echo "stand-in  $image"; else echo "public    $image"; fi
    done < <(grep -v '^#' base-images/stand-ins.txt)
}

case ${1:-} in
needed) needed ;;
ensure)
    shift
    if [ $# = 0 ]; then
        images=$(needed)
        mapfile -t images <<<"$images"
        set -- "${images[@]}"
    fi
    ensure "$@"
    ;;
ensure-possible | ensure-all)
    if [ "$1" = ensure-all ]; then names=$(needed_by_all); else names=$(needed); fi
    mapfile -t images <<<"$names"
    leave_out=1
    ensure "${images[@]}"
    ;;
list) stand_ins ;;
pull)
    stand_ins | while read -r kind image; do
        [ "$kind" = public ] || pull "$image" </dev/null
    done
    ;;
*) sed -n '2,10s/^# \{0,1\}//p' scripts/bootstrap/base-images.sh >&2; exit 2 ;;
esac
