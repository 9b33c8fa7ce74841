# shellcheck shell=bash
# Sourced by other scripts: their messages, and the installation of Debian packages.

say() { printf '%s\n' "$*"; }
fail() {
    printf 'ml-stack: %s\n' "$*" >&2
    exit 1
}
is_root() { [ "$(id -u)" = 0 ]; }

apt_update() { # a third-party source may fail: if a package is missing, apt_install will say so
    is_root || fail "installing packages needs root: run this as root (sudo make …)"
    apt-get update -qq || say "apt-get update reported a problem; continuing with the existing package lists" >&2
    apt_updated=1
}

apt_install() { # apt_install PACKAGE…: without recommendations and without starting any service
    is_root || fail "$* missing, and installation needs root: run this as root (sudo make …)"
    command -v apt-get >/dev/null || fail "$* missing, and this machine is not Debian: install it by hand"
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
