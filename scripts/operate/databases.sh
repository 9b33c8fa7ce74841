# shellcheck shell=bash
# Sourced by other scripts, after running-stack.sh: both databases, in the stack or, in production, elsewhere. There
# DATABASE_ADMIN_URL and POSTGRES_ADMIN_URL lead to them, as an administrator. `compose` is the command to use.

# shellcheck disable=SC2154 # project, compose: of running-stack.sh

databases_elsewhere() {
    local services
    services=$(COMPOSE_PROFILES='' "${compose[@]}" config --services) || fail "these Compose files cannot be read: ${compose[*]}"
    [[ $'\n'$services$'\n' != *$'\n'database$'\n'* ]]
}

admin_url() { # admin_url database|postgres
    if [ "$1" = database ]; then echo "${DATABASE_ADMIN_URL:-}"; else echo "${POSTGRES_ADMIN_URL:-}"; fi
}

require_admin_urls() { # require_admin_urls ALTERNATIVE
    [ -n "${DATABASE_ADMIN_URL:-}" ] && [ -n "${POSTGRES_ADMIN_URL:-}" ] ||
        fail "the databases are not in this stack: set DATABASE_ADMIN_URL (dsproject) and POSTGRES_ADMIN_URL (predictions) to postgresql://… URLs of an administrator, $1"
}

decoded() { # decoded TEXT: without the percent-encoding of URLs
    local text=${1//\\/\\\\}
    printf '%b' "${text//%/\\x}"
}

# on_database SERVICE COMMAND: run a shell command where $PSQL_URL leads to this service's database. Elsewhere means in a
# container on the stack's network. The password goes through the environment: arguments are visible to all processes.
on_database() {
    local service=$1 command=$2 url network=bridge
    if ! databases_elsewhere; then
        "${compose[@]}" exec -T --env "PSQL_URL=postgresql:///$(database_of "$service")?user=postgres" "$service" sh -c "$command"
        return
    fi
    url=$(admin_url "$service")
    if [[ $url =~ ^(postgres(ql)?://[^:@/]+):(.*)@([^@]*)$ ]]; then
        local PGPASSWORD
        PGPASSWORD=$(decoded "${BASH_REMATCH[3]}")
        export PGPASSWORD
        url=${BASH_REMATCH[1]}@${BASH_REMATCH[4]}
    fi
    ! docker network inspect "${project}_ml-network" >/dev/null 2>&1 || network=${project}_ml-network
    docker run --rm --interactive --network "$network" --user postgres --read-only --cap-drop ALL \
        --security-opt no-new-privileges --env PGPASSWORD --env PSQL_URL="$url" \
        --entrypoint sh "$(client_image)" -c "$command"
}

client_image() { # its major version must not be older than the server's
    echo "${POSTGRES_CLIENT_IMAGE:-$(sed -nE 's/^ +image: (postgres:.*)/\1/p' docker-compose.yaml | head -n 1)}"
}

database_of() { if [ "$1" = database ]; then echo dsproject; else echo predictions; fi; }
