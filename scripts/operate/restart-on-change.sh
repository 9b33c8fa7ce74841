#!/bin/sh
# Runs a program that reads a secret only when it starts; starts it anew when the secret's file has changed.
#
#   restart-on-change.sh FILE PROGRAM [ARGUMENT…]
set -eu
file=$1
shift
child=

stop() {
    [ -z "$child" ] || kill "$child" 2>/dev/null || true
    wait
    exit 143
}
trap stop TERM INT

content() { cat "$file" 2>/dev/null || true; }

changed() { # returns when the program has ended (1), or when two looks have found the same new content (0)
    while kill -0 "$child" 2>/dev/null; do
        sleep 1 &
        wait $!
        found=$(content)
        if [ -n "$found" ] && [ "$found" != "$taken" ] && [ "$found" = "$seen" ]; then return 0; fi
        seen=$found
    done
    return 1
}

while :; do
    taken=$(content) seen=$taken
    "$@" &
    child=$!
    changed || { wait "$child"; exit $?; }
    echo "$file has changed: starting $1 anew"
    kill "$child"
    wait "$child" || true
done
