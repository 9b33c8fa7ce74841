#!/usr/bin/env bash
# Makes the folder of secrets that docker-compose.prod.yaml reads, with random passwords and one API key.
# What is there already stays. Use: scripts/operate/make-secrets.sh DATABASE_HOST[:PORT] PREDICTIONS_HOST[:PORT]
set -euo pipefail
cd "$(dirname "$0")/../.."
[ $# = 2 ] || { sed -n '2,3p' "$0" >&2; exit 2; }
training=$1 predictions=$2 secrets=${SECRETS_DIR:-secrets}

# The folder keeps others out; the files must be readable by the containers' user, who is not you.
mkdir -p "$secrets/tls"
chmod 700 "$secrets"
random() { head -c 24 /dev/urandom | base64 | tr '+/' '-_'; }
keep_or_make() { # keep_or_make NAME CONTENT
    [ -e "$secrets/$1" ] || printf '%s\n' "$2" >"$secrets/$1"
    chmod 644 "$secrets/$1"
}
keep_or_make pipeline_database_url "postgresql://pipeline:$(random)@$training/dsproject"
keep_or_make reader_database_url "postgresql://reader:$(random)@$training/dsproject"
keep_or_make inference_database_url "postgresql://inference:$(random)@$predictions/predictions"
keep_or_make drift_database_url "postgresql://drift:$(random)@$predictions/predictions"
keep_or_make monitor_password "$(random)"
keep_or_make database_exporter_uri "$training/dsproject?sslmode=require"
keep_or_make postgres_exporter_uri "$predictions/predictions?sslmode=require"
keep_or_make grafana_password "$(random)"
keep_or_make redis_password "$(random)"
keep_or_make rabbitmq_password "$(random)"
keep_or_make sealing_key "$(random)"
keep_or_make api_keys "$(random)"

cat <<NEXT
Secrets lie in $secrets/. Make the databases and roles once, as an administrator of each server:

  export PIPELINE_PASSWORD=\$(sed -E 's#.*://[^:]+:([^@]+)@.*#\1#' $secrets/pipeline_database_url)
  export READER_PASSWORD=\$(sed -E 's#.*://[^:]+:([^@]+)@.*#\1#' $secrets/reader_database_url)
  export INFERENCE_PASSWORD=\$(sed -E 's#.*://[^:]+:([^@]+)@.*#\1#' $secrets/inference_database_url)
  export DRIFT_PASSWORD=\$(sed -E 's#.*://[^:]+:([^@]+)@.*#\1#' $secrets/drift_database_url)
  export MONITOR_PASSWORD=\$(cat $secrets/monitor_password)
  createdb -h ${training%%:*} dsproject && psql -h ${training%%:*} -d dsproject -f database/access.sql
  createdb -h ${predictions%%:*} predictions && psql -h ${predictions%%:*} -d predictions -f postgres/access.sql

Then: docker compose -f docker-compose.yaml -f docker-compose.prod.yaml up --build --wait
NEXT
