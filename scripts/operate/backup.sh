#!/usr/bin/env bash
# Saves both databases, the model volume and the settings of the running stack into a folder. The stack keeps serving.
#
#   backup.sh [--without-databases] [FOLDER]     (backups/ and the time, if no folder is named)
#
# In production the databases are elsewhere: set DATABASE_ADMIN_URL and POSTGRES_ADMIN_URL, or leave them to their
# servers' own backups (--without-databases). See docs/operations.md.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/bootstrap/debian.sh
. scripts/bootstrap/debian.sh
# shellcheck source=scripts/bootstrap/settings.sh
. scripts/bootstrap/settings.sh
# shellcheck source=scripts/operate/running-stack.sh
. scripts/operate/running-stack.sh
# shellcheck source=scripts/operate/databases.sh
. scripts/operate/databases.sh
databases=yes
[ "${1:-}" != --without-databases ] || { databases=no; shift; }
[[ $# -le 1 && ${1:-} != -* ]] || { sed -n '2,7s/^# \{0,1\}//p' scripts/operate/backup.sh >&2; exit 2; }
folder=${1:-backups/$(date -u +%Y-%m-%dT%H-%M-%SZ)}
[ ! -e "$folder" ] || fail "$folder exists: name a folder that does not"

note_waiting() {
    local waiting
    # shellcheck disable=SC2016 # for the container's shell to expand
    waiting=$("${compose[@]}" exec -T redis sh -c \
        'secret=/run/secrets/redis_password/value; [ ! -e $secret ] || export REDISCLI_AUTH=$(cat $secret); redis-cli -e xlen predictions:queue' 2>&1) ||
        waiting="an unknown number of (redis: $waiting)"
    [ "$waiting" = 0 ] || say "note: $waiting predictions still wait in Redis for PostgreSQL; they are not in this backup" >&2
}

save_database() { # save_database SERVICE
    local name log
    name=$(database_of "$1")
    say "saving $name ($1)"
    # shellcheck disable=SC2016
    { log=$(on_database "$1" 'pg_dump --format=custom --dbname="$PSQL_URL"' 2>&1 >&3); } 3>"$part/$name.dump" || {
        [[ $log != *'version mismatch'* ]] || log+=" (POSTGRES_CLIENT_IMAGE=postgres:17-alpine, say, is a newer client)"
        fail "nothing was saved: $name: $(tr '\n' ' ' <<<"$log")"
    }
}

# What the containers run with, for a shell may have overridden .env. Passwords, ports and the machine's own settings
# do not belong to the data. The last one tells what no container has.
settings() {
    local own='_PASSWORD$|_KEY$|_PORT$|_DIR$|_REPLICAS$|^COMPOSE_|^(BIND|PROMETHEUS|GRAFANA|REPORTS)_ADDRESS$|^LOG_DRIVER$|^STEP_MEMORY$' service
    {
        for service in data-prep feature-engineering model-optimize model-evaluate api model-serve worker model-monitor; do
            environment "$service"
        done
        training_table
        compose_settings "${compose[@]}"
    } | awk -F = -v own="$own" '
        FNR == NR { if ($0 ~ /^[A-Z_]+=/ && $1 !~ own) wanted[$1]; next }
        $1 in wanted { delete wanted[$1]; print }' .env - | sort
}

training_table() { # TRAIN_TABLE and TRAIN_FEATURES: empty unless models learn from another table than was loaded
    comm -13 <(environment data-prep | sort) <(environment model-train | sort) | sed -n 's/^DATA_\(TABLE\|FEATURES\)=/TRAIN_\1=/p'
    printf 'TRAIN_%s=\n' TABLE FEATURES
}

environment() { # environment SERVICE: the variables of its first container, if there is one
    local container
    container=$(containers "$1" | head -n 1)
    [ -z "$container" ] || docker inspect --format '{{range .Config.Env}}{{println .}}{{end}}' "$container"
}

mapfile -t running < <(containers api)
[ "${#running[@]}" -gt 0 ] || fail "the stack does not run (no container of $project-api): start it by \`docker compose up -d\`"
use_files_of "${running[@]}"
! { [ "$databases" = yes ] && databases_elsewhere; } ||
    require_admin_urls "or say --without-databases if their servers have backups of their own"
mkdir -p "$(dirname "$folder")"
part=$(mktemp -d "$folder.XXXXXX") # a folder of the final name is a complete backup
trap 'rm -rf "$part"' EXIT

note_waiting
[ "$databases" = no ] || { save_database database; save_database postgres; }
say "saving the model volume"
"${compose[@]}" run --rm -T --no-deps models list >/dev/null 2>&1 || true # a canary that was taken back is ended in it
log=$({ "${compose[@]}" run --rm -T --no-deps --entrypoint tar models -C /models -cf - . >&3; } 3>"$part/models.tar" 2>&1) ||
    fail "nothing was saved: the model volume: $(tail -n 1 <<<"$log")"
settings >"$part/settings"
mv "$part" "$folder"
du -sh "$folder"
