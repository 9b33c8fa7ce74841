#!/usr/bin/env bash
# Brings a backup of scripts/operate/backup.sh into an empty stack (after `docker compose down -v`, or on another machine)
# and starts it with the settings of the backup. If it fails, what it has made is removed again. A stack that runs or
# holds data is left alone.
#
#   restore.sh FOLDER
#
# In production: COMPOSE_FILE=docker-compose.yaml:docker-compose.prod.yaml, and DATABASE_ADMIN_URL and POSTGRES_ADMIN_URL
# for databases that are empty but for their roles. See docs/operations.md.
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
[[ $# = 1 && $1 != -* ]] || { sed -n '2,9s/^# \{0,1\}//p' scripts/operate/restore.sh >&2; exit 2; }
folder=$1
compose=(docker compose --progress quiet)
volumes=(model_data postgres_data predictions_data redis_data)

require_complete_backup() {
    local file
    for file in models.tar settings; do
        [ -s "$folder/$file" ] || fail "$folder has no $file: it is not a complete backup"
    done
    [ -s "$folder/dsproject.dump" ] && [ -s "$folder/predictions.dump" ] || {
        databases_elsewhere || fail "$folder has no dump of both databases: it is not a complete backup"
        databases=no
        say "note: $folder holds no databases: restore them by their servers' own backups"
    }
}

require_empty_stack() {
    local volume
    [ -z "$(containers "")" ] || fail "this stack has containers: restore into an empty one (docker compose down -v)"
    for volume in "${volumes[@]}"; do
        ! docker volume inspect "${project}_$volume" >/dev/null 2>&1 ||
            fail "this stack holds data in ${project}_$volume: restore into an empty one (docker compose down -v)"
    done
}

require_empty_database() { # require_empty_database SERVICE QUERY: it fails if the roles are missing, and counts what is there
    local found
    # shellcheck disable=SC2016
    found=$(on_database "$1" 'psql --no-psqlrc -At --file=- "$PSQL_URL" -v ON_ERROR_STOP=1' 2>&1 <<<"$2") ||
        fail "$(database_of "$1") cannot be restored: $(head -n 1 <<<"$found")"
    [ "$found" = 0 ] || fail "$(database_of "$1") holds data: restore into an empty database"
}

# The shell overrides .env, and the backup's settings are to override both. So a shell that contradicts them is refused.
export_settings() {
    local line name contradicting=() different=()
    local present
    present=$(compose_settings "${compose[@]}")
    while IFS= read -r line; do
        name=${line%%=*}
        [ "${!name-${line#*=}}" = "${line#*=}" ] || contradicting+=("$name=${!name} (backup: ${line#*=})")
        grep -qxF "$line" <<<"$present" || different+=("$line")
    done <"$folder/settings"
    [ ${#contradicting[@]} = 0 ] || fail "the shell contradicts the backup's settings, unset them: ${contradicting[*]}"
    while IFS= read -r line; do export "${line?}"; done <"$folder/settings"
    [ ${#different[@]} = 0 ] ||
        say "note: copy these settings of the backup into .env, or the next \`up\` prepares data and model anew: ${different[*]}"
}

load() { # load SERVICE: in one transaction; SQL that is cut off must not be committed
    say "restoring $(database_of "$1") ($1)"
    # shellcheck disable=SC2016
    on_database "$1" '{
            echo "SET client_min_messages = warning; DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION pg_database_owner;"
            pg_restore --file=- || printf "\n\\\\.\nSELECT the_backup_cannot_be_read;\n"
        } | psql --no-psqlrc --quiet --single-transaction -v ON_ERROR_STOP=1 --output=/dev/null "$PSQL_URL"' <"$folder/$(database_of "$1").dump" ||
        fail "$(database_of "$1") could not be restored; it is as it was before"
}

undo() {
    say "removing what was made" >&2
    "${compose[@]}" down --timeout 2 >/dev/null 2>&1 || true
    docker volume rm "${volumes[@]/#/${project}_}" >/dev/null 2>&1 || true
}

databases=yes
require_complete_backup
require_empty_stack
export_settings
if databases_elsewhere && [ "$databases" = yes ]; then
    require_admin_urls "and make the databases and their roles first"
    require_empty_database database "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND 'pipeline'::regrole IS NOT NULL"
    require_empty_database postgres "SELECT count(*) FROM (SELECT FROM predictions LIMIT 1) AS first WHERE 'inference'::regrole IS NOT NULL"
fi
scripts/bootstrap/base-images.sh ensure
trap undo EXIT
trap 'exit 130' INT TERM HUP
if ! databases_elsewhere; then
    "${compose[@]}" up --detach --wait database postgres
    "${compose[@]}" run --rm database-access # the roles that own what is restored
    "${compose[@]}" run --rm postgres-access
fi
[ "$databases" = no ] || { load database; load postgres; }
say "restoring the model volume"
"${compose[@]}" build --quiet model-evaluate
"${compose[@]}" run --rm -T --no-deps --entrypoint tar models -C /models -xf - <"$folder/models.tar"
trap - EXIT
say "starting the stack"
"${compose[@]}" up --detach --wait
