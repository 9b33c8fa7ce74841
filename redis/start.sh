#!/bin/sh
# Starts Redis with the users of users.acl. Their passwords come from the environment, or from files, which are
# followed: a changed one counts within seconds, and connections that are open stay open.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "${REDIS_DIR:-/data}"
acl=${TMPDIR:-/tmp}/users.acl
users='default api exporter'

password() { # password USER: what is in its variable, or in the file that the variable with _FILE names
    case $1 in default) name=REDIS_PASSWORD ;; api) name=REDIS_API_PASSWORD ;; *) name=REDIS_EXPORTER_PASSWORD ;; esac
    eval "file=\${${name}_FILE:-} value=\${$name:-}"
    if [ -n "$file" ]; then
        value=$(cat "$file" 2>/dev/null) || { echo "${name}_FILE: cannot read $file" >&2; return 1; }
        case $value in *-demo) echo "$file holds a demo password of .env: choose your own, see docs/operations.md" >&2; return 1 ;; esac
    fi
    [ -n "$value" ] || { echo "$name: the password of the user $1 is empty" >&2; return 1; }
    printf %s "$value"
}

hashes() { # a line for each user: its name and the SHA-256 of its password; no line if one cannot be read, so none is logged
    lines=
    for user in $users; do
        secret=$(password "$user") || return 1
        lines="$lines$user $(printf %s "$secret" | sha256sum | cut -d ' ' -f 1)
"
    done
    printf %s "$lines"
}

set_passwords() { # set_passwords HASHES: in the running server; by standard input, since arguments are visible to other processes
    said=$(echo "$1" | sed 's/\(.*\) \(.*\)/ACL SETUSER \1 resetpass #\2/' | REDISCLI_AUTH=$rotation redis-cli --user rotation -e 2>&1) || return 1
    [ "$(echo "$said" | sort -u)" = OK ]
}

current=$(hashes)
rotation=$(head -c 32 /dev/urandom | sha256sum | cut -d ' ' -f 1)
rules=$(grep '^user' "$here/users.acl")
for line in $(echo "$current" | tr ' ' =) "rotation=$(printf %s "$rotation" | sha256sum | cut -d ' ' -f 1)"; do
    rules=$(echo "$rules" | sed "s/^\(user ${line%=*} on #\)[A-Z]*/\1${line#*=}/")
done
umask 077
echo "$rules" >"$acl"
unset REDIS_PASSWORD REDIS_API_PASSWORD REDIS_EXPORTER_PASSWORD
if [ -n "${REDIS_PASSWORD_FILE:-}" ]; then
    # shellcheck source=scripts/operate/follow-secret.sh
    . /follow-secret.sh
    follow redis "$current" hashes set_passwords &
fi
exec redis-server "$here/redis.conf" --aclfile "$acl" "$@"
