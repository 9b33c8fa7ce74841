# shellcheck shell=sh
# Sourced by redis/start.sh and rabbitmq/start.sh: follows the secrets of a running server.
#
#   follow NAME CONTENT READ APPLY
#
# READ prints what the files hold, or fails and says why; APPLY puts what it is given into use. CONTENT is in use already.

follow() { # new content counts when two looks have found it: a file may be half-written
    taken=$2 seen=$2
    while sleep 1; do
        found=$("$3" 2>&1) || found="refused: $found"
        if [ "$found" = "$taken" ] || [ "$found" != "$seen" ]; then seen=$found; continue; fi
        case $found in
        refused:*) echo "$1: changed password $found: what was in use stays in use" >&2 ;;
        *)
            "$4" "$found" || continue
            echo "$1: changed password in use" ;;
        esac
        taken=$found
    done
}
