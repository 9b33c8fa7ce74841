#!/bin/sh
# Starts a third-party program, unless its password is a demo password from .env.
#
#   refuse-demo-password.sh FILE PROGRAM [ARGUMENT…]
set -eu
[ $# -ge 2 ] || { sed -n '2,4s/^# \{0,1\}//p' "$0" >&2; exit 2; }
file=$1
shift
case $(cat "$file") in
postgres | *-demo)
    echo "$file holds a demo password of .env: choose your own, see docs/operations.md" >&2
    exit 1
    ;;
esac
exec "$@"
