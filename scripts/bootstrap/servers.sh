#!/usr/bin/env bash
# Install the programs that tests start as processes: PostgreSQL and Redis, curl and lsof, Chromium, ip.
# They are Debian packages; none of them is started, now or at boot.
#
#   servers.sh databases|documents|browser|swarm
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/bootstrap/debian.sh
. scripts/bootstrap/debian.sh

have_postgresql() { compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || command -v postgres >/dev/null; }

install_postgresql() { # first the common package, whose setting stops the server's package from creating a cluster
    local switch=/etc/postgresql-common/createcluster.conf
    if [ ! -e "$switch" ]; then
        apt_install postgresql-common
        sed -i "s/^#\?create_main_cluster.*/create_main_cluster = false/" "$switch"
    fi
    apt_install postgresql
}

install_redis() {
    apt_install redis-server
    [ ! -d /run/systemd/system ] || systemctl disable --quiet --now redis-server
}

case ${1:-} in
databases)
    have_postgresql || install_postgresql
    command -v redis-server >/dev/null || install_redis
    ;;
documents) { command -v curl && command -v lsof; } >/dev/null || apt_install curl lsof ;;
swarm) command -v ip >/dev/null || apt_install iproute2 ;;
browser) command -v chromium >/dev/null || apt_install chromium fonts-liberation ;;
*) sed -n '2,5s/^# \{0,1\}//p' scripts/bootstrap/servers.sh >&2; exit 2 ;;
esac
