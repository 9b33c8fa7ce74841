# shellcheck shell=bash
# Sourced by other scripts in the project's folder.

# compose_settings COMPOSE…: what the Compose files are read with, a line NAME=VALUE each. `config --environment` came
# with Compose 2.27; without it: .env, and what the shell sets in its place.
compose_settings() {
    local name value
    "$@" config --environment 2>/dev/null ||
        while IFS='=' read -r name value; do printf '%s=%s\n' "$name" "${!name-$value}"; done < <(grep -E '^[A-Z_]+=' .env)
}
