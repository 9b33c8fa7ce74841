# shellcheck shell=bash
# Sourced: how our scripts fail, and how they install Debian packages.

say() { printf '%s\n' "$*"; }
fail() {
    printf 'ml-stack: %s\n' "$*" >&2
    exit 1
}
is_root() { [ "$(id -u)" = 0 ]; }

apt_update() { # a third-party source that fails must not stop us: what is missing shows at the install
    is_root || fail "installing packages needs root: run this as root (sudo make …)"
    apt-get update -qq || say "apt-get update reported a problem; going on with the lists there are" >&2
    apt_updated=1
}

apt_install() { # apt_install PACKAGE…: without recommendations and without starting any service
    is_root || fail "$* missing, and installing needs root: run this as root (sudo make …)"
    command -v apt-get >/dev/null || fail "$* missing, and this is no Debian machine: install by hand"
    [ -n "${apt_updated:-}" ] || apt_update
    say "apt-get install $*"
    (
        if [ ! -e /usr/sbin/policy-rc.d ]; then
            trap 'rm -f /usr/sbin/policy-rc.d' EXIT
            printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
            chmod +x /usr/sbin/policy-rc.d
        fi
        log=$(mktemp)
        DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" >"$log" 2>&1 </dev/null ||
            { tail -n 20 "$log" >&2; exit 1; }
        rm -f "$log"
    ) || fail "apt-get could not install $*"
}
