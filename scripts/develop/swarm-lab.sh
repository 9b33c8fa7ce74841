#!/usr/bin/env bash
# Three Docker engines on one machine, for tests of what happens to a Swarm when machines die (root, Linux).
#
#   swarm-lab.sh up              start the engines and make one Swarm of them, all managers
#   swarm-lab.sh load IMAGE…     give every engine these images of this machine's engine
#   swarm-lab.sh add N IMAGE…    one more machine, a worker, with these images
#   swarm-lab.sh remove N        take it away for good
#   swarm-lab.sh on N COMMAND…   run a command whose `docker` speaks to engine N
#   swarm-lab.sh within N COMMAND…
#                                run a command in the network of machine N, whose address is 10.99.0.1N
#   swarm-lab.sh kill N          a power cut: everything on the machine is gone at once; its disk stays
#   swarm-lab.sh start N         power it on again
#   swarm-lab.sh cut N, heal N   no packet reaches or leaves machine N; undo it
#   swarm-lab.sh down            remove everything
#
# A machine is an engine in network, mount, PID and UTS namespaces of its own. One SIGKILL for the first process of a PID
# namespace ends dockerd, containerd and all containers in it. All machines hang on one bridge in a network namespace of
# their own: on the host's bridge the host's firewall would drop their frames.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$PWD
lab=${LAB:-/var/lib/ml-stack-lab} machines=${MACHINES:-3}
prefix=mlab # of namespaces and links: names in /run/netns, at most 15 characters

hub() {
    ip netns add ${prefix}hub
    ip -n ${prefix}hub link add bridge0 type bridge
    ip -n ${prefix}hub addr add 10.99.0.1/24 dev bridge0
    ip -n ${prefix}hub link set bridge0 up
    ip -n ${prefix}hub link set lo up
    ip link add ${prefix}0 type veth peer name v0 netns ${prefix}hub # this machine's way in, as 10.99.0.254
    ip -n ${prefix}hub link set v0 master bridge0 up
    ip addr add 10.99.0.254/24 dev ${prefix}0
    ip link set ${prefix}0 up
    mkdir -p "$lab/hub"
    echo nameserver 10.99.0.1 >"$lab/hub/resolv.conf"
    # Docker's DNS passes on names that it does not know, and says nothing while it has no answer.
    setsid nohup nsenter --net=/run/netns/${prefix}hub python3 "$here/scripts/develop/nxdomain.py" 10.99.0.1 >"$lab/hub/log" 2>&1 </dev/null &
    echo $! >"$lab/hub/pid"
}

network() { # the link first: a namespace is gone only when its last process is
    ip -n ${prefix}hub link del "v$1" 2>/dev/null || true
    ip netns del "$prefix$1" 2>/dev/null || true
    ip netns add "$prefix$1"
    ip link add "v$1" netns ${prefix}hub type veth peer name eth0 netns "$prefix$1"
    ip -n ${prefix}hub link set "v$1" master bridge0 up
    ip -n "$prefix$1" addr add "10.99.0.1$1/24" dev eth0
    ip -n "$prefix$1" link set eth0 up
    ip -n "$prefix$1" link set lo up
    ip -n "$prefix$1" route add unreachable default # a task asks the registry first: fail at once, not after ten seconds
}

engine() {
    local i=$1 launcher
    network "$i"
    mkdir -p "$lab/$i/data" "$lab/$i/exec"
    rm -f "$lab/$i/pid" "$lab/$i/sock" "$lab/$i/init"
    # nsenter and not `ip netns exec`, which mounts a /sys without the cgroups
    setsid nohup nsenter --net="/run/netns/$prefix$i" unshare --mount --uts --pid --fork --propagation private bash -c "
        hostname $prefix$i
        mount -t proc proc /proc
        mkdir -p /run/docker && mount -t tmpfs tmpfs /run/docker
        mount --bind $lab/hub/resolv.conf /etc/resolv.conf
        start='dockerd --data-root $lab/$i/data --exec-root $lab/$i/exec --pidfile $lab/$i/pid \
            --host unix://$lab/$i/sock --host unix:///run/docker/engine.sock --cgroup-parent /$prefix$i --bip 172.3$i.0.1/24'
        exec docker-init -g -- sh -c \"until \$start; do sleep 1; done\"" >>"$lab/$i/log" 2>&1 </dev/null & # tried again, as by systemd
    launcher=$!
    for _ in $(seq 600); do
        if on "$i" docker info >/dev/null 2>&1; then
            pgrep -P "$launcher" >"$lab/$i/init"
            return
        fi
        sleep 0.2
    done
    echo "swarm-lab: engine $i did not start: $(tail -n 3 "$lab/$i/log")" >&2
    return 1
}

on() { # on N COMMAND…
    local i=$1
    shift
    DOCKER_HOST=unix://$lab/$i/sock "$@"
}

up() {
    local i token jobs=()
    hub
    for i in $(seq "$machines"); do engine "$i" & jobs+=($!); done
    wait "${jobs[@]}"
    on 1 docker swarm init --advertise-addr 10.99.0.11 --default-addr-pool 10.100.0.0/16 >/dev/null
    token=$(on 1 docker swarm join-token -q manager)
    for i in $(seq 2 "$machines"); do
        on "$i" docker swarm join --advertise-addr "10.99.0.1$i" --token "$token" 10.99.0.11:2377 >/dev/null
    done
}

load() {
    local i archive=$lab/images.tar jobs=()
    docker save "$@" -o "$archive"
    for i in $(seq "$machines"); do on "$i" docker load -qi "$archive" >/dev/null & jobs+=($!); done
    wait "${jobs[@]}"
    rm "$archive"
}

add() {
    local i=$1
    shift
    engine "$i"
    docker save "$@" | on "$i" docker load -q >/dev/null
    on "$i" docker swarm join --advertise-addr "10.99.0.1$i" --token "$(on 1 docker swarm join-token -q worker)" 10.99.0.11:2377 >/dev/null
}

remove() {
    kill -9 "$(cat "$lab/$1/init")"
    on 1 docker node rm --force "$prefix$1" >/dev/null
    ip netns del "$prefix$1"
    for _ in $(seq 50); do # mounts of its containers go with the last of its processes
        ! rm -rf "${lab:?}/$1" 2>/dev/null || return 0
        sleep 0.2
    done
    echo "swarm-lab: the data of machine $1 cannot be removed" >&2
    return 1
}

down() {
    local i folders=()
    for i in "$lab"/[0-9]*; do [ ! -d "$i" ] || folders+=("${i##*/}"); done
    for i in "${folders[@]}"; do
        [ ! -s "$lab/$i/init" ] || kill "$(cat "$lab/$i/init")" 2>/dev/null || true
    done
    for _ in $(seq 50); do
        pgrep -f "dockerd --data-root $lab/" >/dev/null || break
        sleep 0.2
    done
    for i in "${folders[@]}"; do
        [ ! -s "$lab/$i/init" ] || kill -9 "$(cat "$lab/$i/init")" 2>/dev/null || true
        ip netns del "$prefix$i" 2>/dev/null || true
    done
    [ ! -s "$lab/hub/pid" ] || kill "$(cat "$lab/hub/pid")" 2>/dev/null || true
    ip netns del ${prefix}hub 2>/dev/null || true
    rm -rf "$lab"
}

case ${1:-} in
up | load | add | remove | on | down) "$@" ;;
within) shift; i=$1; shift; nsenter --net="/run/netns/$prefix$i" "$@" ;;
kill) kill -9 "$(cat "$lab/$2/init")" ;;
start) engine "$2" ;;
cut) ip -n ${prefix}hub link set "v$2" nomaster ;;
heal) ip -n ${prefix}hub link set "v$2" master bridge0 ;;
*) sed -n '2,/^set /s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
