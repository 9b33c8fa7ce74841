#!/usr/bin/env bash
# Saves both databases and the model volume of the running stack into a folder. The stack keeps serving.
# Usage: scripts/operate/backup.sh [FOLDER]     (default: backups/ and the time)
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=${1:-backups/$(date -u +%Y-%m-%dT%H-%M-%SZ)}
[ ! -e "$folder" ] || { echo "$folder exists: name a new folder" >&2; exit 1; }
part=$folder.part # a folder with the final name is a complete backup
rm -rf "$part"
mkdir -p "$part"
chmod 700 "$part"

waiting=$(docker compose exec -T redis redis-cli -e xlen predictions:queue)
[ "$waiting" = 0 ] || echo "note: $waiting predictions still wait in Redis for PostgreSQL; they are not in this backup" >&2

dump() { # dump SERVICE DATABASE
    echo "saving $2 ($1)"
    docker compose exec -T "$1" pg_dump -U postgres --format=custom "$2" >"$part/$2.dump"
}
dump database dsproject
dump postgres predictions
echo "saving the model volume"
docker compose run --rm -T --entrypoint tar models -C /models -cf - . >"$part/models.tar"

mv "$part" "$folder"
du -sh "$folder"
