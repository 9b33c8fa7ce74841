#!/usr/bin/env bash
# A Docker engine and Compose v2 on a Debian machine.
#
#   engine.sh ensure     use the engine that answers; if there is none, install Debian's and start it.
#                        The same for Compose v2. Exit code 3: no engine can run here (a line says why); then
#                        Compose alone, for `config`, in build/bin if there is no docker command
#   engine.sh started    exit code 0 if the running engine was started by `ensure`
#   engine.sh stop       stop the engine if `ensure` started it
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/bootstrap/debian.sh
. scripts/bootstrap/debian.sh
# shellcheck source=scripts/bootstrap/compose.sh
. scripts/bootstrap/compose.sh
PATH=$PATH:/usr/sbin:/sbin # where dockerd and iptables are; not in the PATH of every root shell
pidfile=/run/ml-stack-dockerd.pid
log=/var/log/ml-stack-dockerd.log
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
    local found=started
    if ! answers; then
        [ -z "${DOCKER_HOST:-}" ] || cannot "DOCKER_HOST=$DOCKER_HOST does not answer"
        is_root || cannot "none answers this user, and to install or start one needs root: sudo make …"
        { command -v dockerd && command -v docker; } >/dev/null || install_engine
    fi
    if answers; then found='is already running'; else start_engine; fi # it may be that only the command was missing
    say "engine  $(docker version -f '{{.Server.Version}}') $found"
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
    status=0
    (set -e; ensure_engine) || status=$?
    case $status in
    0) ensure_compose; name_compose ;;
    "$no_engine") (ensure_compose) || say "no Docker Compose either" >&2 ;;
    esac
    exit "$status"
    ;;
started) started ;;
stop) stop ;;
*) sed -n '2,8s/^# \{0,1\}//p' scripts/bootstrap/engine.sh >&2; exit 2 ;;
esac
