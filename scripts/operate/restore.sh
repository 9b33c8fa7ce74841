#!/usr/bin/env bash
# Restores a backup of scripts/operate/backup.sh into an empty stack (after `docker compose down -v`, or on another machine)
# and starts it. A stack that holds model versions or logged predictions is refused.
# Usage: scripts/operate/restore.sh FOLDER
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=${1:?which backup? scripts/operate/restore.sh FOLDER}
for file in dsproject.dump predictions.dump models.tar; do
    [ -s "$folder/$file" ] || { echo "$folder has no $file: it is not a complete backup" >&2; exit 1; }
done

docker compose build --quiet models >/dev/null
docker compose up -d --wait database postgres
docker compose run --rm database-access # creates the roles that own the restored tables
docker compose run --rm postgres-access
rows=$(docker compose exec -T postgres psql -U postgres -d predictions -Atc "SELECT count(*) FROM (SELECT FROM predictions LIMIT 1) AS first")
versions=$(docker compose run --rm -T --entrypoint sh models -c 'ls /models' </dev/null)
[ "$rows$versions" = 0 ] || { echo "this stack holds data: restore into an empty one (docker compose down -v)" >&2; exit 1; }

load() { # load SERVICE DATABASE
    echo "restoring $2 ($1)"
    docker compose exec -T "$1" psql -U postgres -d postgres -q -c "DROP DATABASE $2 WITH (FORCE)" -c "CREATE DATABASE $2"
    docker compose exec -T "$1" pg_restore -U postgres --dbname="$2" --exit-on-error <"$folder/$2.dump"
}
load database dsproject
load postgres predictions
echo "restoring the model volume"
docker compose run --rm -T --entrypoint tar models -C /models -xf - <"$folder/models.tar"
docker compose up -d --wait
