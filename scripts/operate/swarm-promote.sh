#!/usr/bin/env bash
# Lets the other server of the prediction log take the writes, in a Swarm with a standby: when the machine of the one that
# did is gone, or before its maintenance. It changes the services that know which one it is, and needs neither secrets nor images at hand.
usage='Usage: scripts/operate/swarm-promote.sh STACK postgres|postgres-standby
       (the server that is to take writes; the other one becomes its standby)'
set -euo pipefail
fail() { echo "swarm-promote: $*" >&2; exit 1; }
[ $# = 2 ] && [[ $2 =~ ^postgres(-standby)?$ ]] || { echo "$usage" >&2; exit 2; }
stack=$1 primary=$2 other=postgres
[ "$primary" != postgres ] || other=postgres-standby
docker service inspect "${stack}_postgres-standby" >/dev/null 2>&1 ||
    fail "there is no service ${stack}_postgres-standby: this engine is no manager of the Swarm, or the log has no standby"

# Detached: what belongs to a machine that is gone waits for it.
change() { docker service update --quiet --detach --no-resolve-image "${@:2}" "${stack}_$1" >/dev/null; }
change "$primary" --env-add "POSTGRES_PRIMARY=$primary"
change "$other" --env-add "POSTGRES_PRIMARY=$primary"
change postgres-access --constraint-rm "node.labels.$other == true" --constraint-rm "node.labels.$primary == true" \
    --constraint-add "node.labels.$primary == true"
! docker service inspect "${stack}_postgres-exporter" >/dev/null 2>&1 || # with MONITORING=1
    change postgres-exporter --env-add "DATA_SOURCE_URI=$primary:5432/predictions?sslmode=disable"
echo "$primary takes writes as soon as docker service logs ${stack}_$primary says so"
