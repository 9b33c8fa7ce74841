#!/bin/sh
# Starts a third-party program, unless its password is a demo password from .env.
#
#   refuse-demo-password.sh FILE PROGRAM [ARGUMENT…]
set -eu
file=$1
shift
case $(cat "$file") in
postgres | *-demo)
    echo "$file holds a demo password of .env: choose your own, see docs/operations.md" >&2
    exit 1
    ;;
esac
exec "$@"
