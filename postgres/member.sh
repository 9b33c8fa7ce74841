#!/bin/sh
# Runs one of the two servers of the prediction log, in a Swarm with a standby (docker-compose.swarm-standby.yaml).
#
#   POSTGRES_MEMBER, POSTGRES_OTHER   names of this server and of the other one
#   POSTGRES_PRIMARY                  the one that takes writes, as scripts/operate/swarm-promote.sh says
#   REPLICATION_PASSWORD_FILE         what the two know each other by
#   POSTGRES_DB                       has only the server that may begin an empty log
#
# A server that is to take writes and is a standby is promoted, unless it may lack rows that were acknowledged. One that
# is to be the standby and took writes becomes a copy of the other. Commits wait for a standby from when it has everything.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
me=$POSTGRES_MEMBER other=$POSTGRES_OTHER said=
say() { [ "$*" = "$said" ] || echo "$me: $*" >&2; said=$*; } # a line that is repeated is said once
fail() { say "$@"; exit 1; }

case $POSTGRES_PRIMARY in "$me" | "$other") ;; *) fail "POSTGRES_PRIMARY must be $me or $other, not $POSTGRES_PRIMARY" ;; esac
umask 077
REPLICATION_PASSWORD=$(cat "$REPLICATION_PASSWORD_FILE") || fail "cannot read $REPLICATION_PASSWORD_FILE"
[ -n "$REPLICATION_PASSWORD" ] || fail "$REPLICATION_PASSWORD_FILE is empty"
export REPLICATION_PASSWORD PGPASSFILE="${TMPDIR:-/tmp}/pgpass"
printf '*:*:*:replicator:%s\n' "$REPLICATION_PASSWORD" | sed 's/\\/\\\\/g' >"$PGPASSFILE"
to_other="${POSTGRES_OTHER_ADDRESS:-host=$other} user=replicator application_name=$me passfile=$PGPASSFILE connect_timeout=3"
to_other="$to_other keepalives_idle=5 keepalives_interval=2 keepalives_count=3"

other_is() { psql -XAtqc IDENTIFY_SYSTEM "$to_other replication=true target_session_attrs=$1" >/dev/null 2>&1; } # any or primary
# Each promotion begins another timeline; its history is on disk before a row is.
own_timeline() { printf %d "0x$(find "$PGDATA/pg_wal" -name '*.history' | sed 's/.*\///; s/\.history//' | sort | tail -n 1 | grep . || echo 1)"; }
other_timeline() { psql -XAtqc IDENTIFY_SYSTEM "$to_other replication=true target_session_attrs=primary" | cut -d '|' -f 2; }
has_data() { [ -s "$PGDATA/PG_VERSION" ]; }
sql() { printf '%s;\n' "$@" | psql -XAtq -v ON_ERROR_STOP=1 -U postgres -d postgres; } # in this server, over its socket

# The earlier data stay until the copy is complete. Without PG_VERSION a folder holds no data: it goes first and comes last.
copy() {
    until other_is primary; do
        say "is to be the standby, and waits for $other to take writes"
        sleep 1
    done
    if has_data; then
        [ "$(own_timeline)" -lt "$(other_timeline)" ] || fail "took writes after $other did: swarm-promote.sh STACK $me"
        : >"$PGDATA/retired"
    fi
    say "copies the data of $other"
    rm -rf "$PGDATA/incoming"
    pg_basebackup -d "$to_other" -D "$PGDATA/incoming" --wal-method=stream --checkpoint=fast --no-password
    : >"$PGDATA/incoming/standby.signal"
    chmod 700 "$PGDATA"
    rm -f "$PGDATA/PG_VERSION"
    sync
    find "$PGDATA" -mindepth 1 -maxdepth 1 ! -name incoming -exec rm -rf {} +
    find "$PGDATA/incoming" -mindepth 1 -maxdepth 1 ! -name PG_VERSION -exec mv {} "$PGDATA" \;
    sync
    mv "$PGDATA/incoming/PG_VERSION" "$PGDATA"
    rmdir "$PGDATA/incoming"
    say "is a copy of $other"
}

promote() {
    ! other_is primary || return 1 # it is being stopped
    if [ "$(sql 'SELECT in_sync FROM standby')" != t ]; then
        say "is not promoted: it may lack rows that $other has acknowledged. If $other is lost: SELECT pg_promote()"
        return 1
    fi
    sql 'SELECT pg_promote()' >/dev/null || return 1
    say 'takes writes now'
}

# No standby follows a server that has just been promoted: it cannot wait for a standby until it has one.
begin_alone() {
    sql "ALTER SYSTEM SET synchronous_standby_names = ''" 'SELECT pg_reload_conf()' 'SET synchronous_commit = local' \
        'UPDATE standby SET in_sync = false' >/dev/null
}

lead() {
    case $(sql "SELECT CASE WHEN NOT EXISTS (SELECT FROM pg_stat_replication
                                              WHERE application_name = '$other' AND state = 'streaming') THEN 'alone'
                            WHEN current_setting('synchronous_standby_names') = '' THEN 'joined'
                            WHEN NOT (SELECT in_sync FROM standby) THEN 'settling' ELSE 'paired' END") in
    joined)
        sql 'SET synchronous_commit = local' 'UPDATE standby SET in_sync = false' \
            "ALTER SYSTEM SET synchronous_standby_names = '\"$other\"'" 'SELECT pg_reload_conf()' >/dev/null
        say "is followed by $other"
        ;;
    settling) # a second later, and after a checkpoint: every session that commits has read the setting
        sql CHECKPOINT 'UPDATE standby SET in_sync = true' >/dev/null
        say "commits wait for $other from now on"
        ;;
    esac
}

watch() {
    was='' prepared=''
    while sleep 1 && kill -0 $$ 2>/dev/null; do
        state=$(sql "SELECT CASE WHEN current_setting('listen_addresses') = '' THEN 'beginning'
                                 WHEN pg_is_in_recovery() THEN 'standby' ELSE 'primary' END" 2>/dev/null) || continue
        if [ "$state" = standby ] && [ "$POSTGRES_PRIMARY" = "$me" ] && promote; then state=primary; fi
        if [ "$state" = primary ]; then
            [ "$was" != standby ] || begin_alone || continue
            [ -n "$prepared" ] || psql -Xq -v ON_ERROR_STOP=1 -U postgres -d postgres -f "$here/member.sql" || continue
            prepared=yes
            lead || continue
        fi
        was=$state
    done
}

if has_data && [ -e "$PGDATA/standby.signal" ]; then
    : # it can be told apart from what took writes, and is promoted while it runs
elif [ "$POSTGRES_PRIMARY" = "$other" ]; then
    copy
elif other_is primary; then
    fail "$other takes writes already: swarm-promote.sh STACK $other"
elif ! has_data; then
    ! other_is any || fail "has no data, but $other has: swarm-promote.sh STACK $other"
    [ -n "${POSTGRES_DB:-}" ] || fail "has no data yet: swarm-promote.sh STACK $other first"
elif [ -e "$PGDATA/retired" ]; then
    fail "has data from before $other took over: swarm-promote.sh STACK $other, or remove $PGDATA/retired to lose what $other has logged"
fi
# What is to be promoted has all it needs, and looking for a server that is gone would hold it up.
[ "$POSTGRES_PRIMARY" = "$me" ] || set -- "$@" -c "primary_conninfo=$to_other"
(watch &)
exec docker-entrypoint.sh "$@" -c "hba_file=$here/pg_hba.conf" -c wal_keep_size=2GB
