#!/usr/bin/env bash
# Makes the folder of secrets that docker-compose.prod.yaml reads, with random passwords and one API key, and prints
# how to make the databases and roles. What is there already stays.
usage='Usage: scripts/operate/make-secrets.sh TRAINING_HOST[:PORT] PREDICTIONS_HOST[:PORT]
       (the two PostgreSQL servers; each may be a primary and its standbys, separated by commas;
       SECRETS_DIR is where the secrets go, default secrets/)'
set -euo pipefail
cd "$(dirname "$0")/../.."
[ $# = 2 ] && [[ $1$2 != -* ]] || { echo "$usage" >&2; exit 2; }
with_ports() { sed -E 's/(^|,)([^:,]+)(,|$)/\1\2:5432\3/g; s/(^|,)([^:,]+)(,|$)/\1\2:5432\3/g' <<<"$1"; } # twice: matches share commas
training=$(with_ports "$1") predictions=$(with_ports "$2") secrets=${SECRETS_DIR:-secrets}

# Only the folder restricts access; the files must be readable by the containers' user, which has another id.
mkdir -p "$secrets/tls"
chmod 700 "$secrets"
random() { head -c 24 /dev/urandom | base64 | tr '+/' '-_'; }
keep_or_make() { # keep_or_make NAME CONTENT: the folder NAME with the file `value`; NAME was a file in earlier releases
    local folder=$secrets/$1
    if [ -f "$folder" ]; then
        mv "$folder" "$folder.file"
        mkdir "$folder"
        mv "$folder.file" "$folder/value"
    fi
    mkdir -p "$folder"
    [ -e "$folder/value" ] || printf '%s\n' "$2" >"$folder/value"
    chmod 755 "$folder"
    chmod 644 "$folder/value"
}
keep_or_make pipeline_database_url "postgresql://pipeline:$(random)@$training/dsproject"
keep_or_make reader_database_url "postgresql://reader:$(random)@$training/dsproject"
keep_or_make inference_database_url "postgresql://inference:$(random)@$predictions/predictions"
keep_or_make drift_database_url "postgresql://drift:$(random)@$predictions/predictions"
keep_or_make postgres_password "$(random)" # of the stack's own servers, in a Swarm (docs/scaling.md)
keep_or_make replication_password "$(random)" # likewise, of a standby
keep_or_make monitor_password "$(random)"
keep_or_make database_exporter_uri "${training%%,*}/dsproject?sslmode=require" # an exporter watches one server
keep_or_make postgres_exporter_uri "${predictions%%,*}/predictions?sslmode=require"
keep_or_make grafana_password "$(random)"
keep_or_make redis_password "$(random)"
keep_or_make redis_api_password "$(random)"
keep_or_make redis_exporter_password "$(random)"
keep_or_make rabbitmq_password "$(random)"
keep_or_make sealing_key "$(random)"
keep_or_make api_keys "$(random)"
keep_or_make model_store_access_key "" # of your object store, if models are in one
keep_or_make model_store_secret_key ""

full=$(cd "$secrets" && pwd)
options() {
    local hosts ports
    hosts=$(sed -E 's/:[0-9]+//g' <<<"$1") ports=$(sed -E 's/[^,]+://g' <<<"$1")
    printf -- '-h %q -p %q -U %q' "$hosts" "$ports" "${PGUSER:-postgres}"
}
# shellcheck disable=SC2016 # the command is printed, not run
password_of() { printf '$(sed -E '\''s#.*://[^:]+:([^@]+)@.*#\\1#'\'' %q)' "$full/$1/value"; }
cat <<NEXT
Secrets lie in $full/, one folder each. Make the databases and roles once, as an administrator of each server:

  cd $(printf %q "$PWD")
  export PIPELINE_PASSWORD=$(password_of pipeline_database_url)
  export READER_PASSWORD=$(password_of reader_database_url)
  export INFERENCE_PASSWORD=$(password_of inference_database_url)
  export DRIFT_PASSWORD=$(password_of drift_database_url)
  export MONITOR_PASSWORD=\$(cat $(printf %q "$full/monitor_password/value"))
  export PGTARGETSESSIONATTRS=read-write # of several servers the primary
  createdb $(options "$training") dsproject
  psql $(options "$training") -d dsproject -f database/access.sql
  createdb $(options "$predictions") predictions
  psql $(options "$predictions") -d predictions -f postgres/access.sql

Then: docker compose -f docker-compose.yaml -f docker-compose.prod.yaml up --build --wait
NEXT
