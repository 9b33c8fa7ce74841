#!/usr/bin/env bash
# Tries scripts/bootstrap on other machines than this one: fresh Debian 12 and 13, Docker's own package layout, a user who
# is not root, no engine, another architecture. A machine is a container with a copy of the checkout; where the case needs an
# engine, it sees this machine's. Prints the table of docs/portability.md; the whole output is in build/portability/.
#
#   portability.sh [CASE…]     needs an engine that answers, and root
# shellcheck disable=SC2016 # backticks in single quotes are Markdown
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/bootstrap/debian.sh
. scripts/bootstrap/debian.sh
results=$PWD/build/portability
only=("$@")
failed=0
mkdir -p "$results"
checkout=$(mktemp -d)
trap 'rm -rf "$checkout"' EXIT
git ls-files --cached -z | xargs -0 cp --parents -t "$checkout"
git -C "$checkout" init --quiet && git -C "$checkout" add --all --force # tests ask git which files there are
chmod -R a+rwX "$checkout"

for release in bookworm trixie; do
    docker image inspect "standin/base:$release" >/dev/null 2>&1 || fail "needs the image standin/base:$release: base-images/build.sh python:3.13-slim postgres:15-alpine makes both"
done

# machine RELEASE ENGINE COMMAND: run a command on a fresh machine in the checkout; ENGINE is yes or no. the user `tester`
# has no rights but those of the engine's group.
machine() {
    local release=$1 engine=$2 command=$3 options=() name
    [ "$engine" = no ] || options+=(--volume /var/run/docker.sock:/var/run/docker.sock --network host)
    for name in PIP_INDEX_URL PIP_CERT http_proxy https_proxy no_proxy; do
        [ -z "${!name:-}" ] || options+=(--env "$name")
    done
    docker run --rm --volume "$checkout:$checkout" --workdir "$checkout" --env COMPOSE_PROJECT_NAME=ml-stack-portability \
        "${options[@]}" "standin/base:$release" bash -ec "
            rm -rf build
            useradd --create-home tester
            printf '[safe]\n\tdirectory = *\n' >/etc/gitconfig # the checkout belongs to another user
            as_tester() { setpriv --reuid tester --regid tester --init-groups env HOME=/home/tester \"\$@\"; }
            has() { grep -q -- \"\$1\" /tmp/out || { echo \"not printed: \$1\"; exit 1; }; }
            runs() { \"\$@\" >/tmp/out 2>&1 || { status=\$?; cat /tmp/out; return \$status; }; cat /tmp/out; }
            refuses() { local status=0 expected=\$1; shift; \"\$@\" >/tmp/out 2>&1 || status=\$?; cat /tmp/out; [ \$status = \$expected ]; }
            export DEBIAN_FRONTEND=noninteractive
            $command"
}

try() { # try RELEASE ENGINE CASE OUTCOME COMMAND
    local release=$1 engine=$2 case=$3 outcome=$4 command=$5 verdict=ok started=$SECONDS log
    log=$results/$case.log
    [ ${#only[@]} = 0 ] || [[ " ${only[*]} " == *" $case "* ]] || return 0
    machine "$release" "$engine" "$command" >"$log" 2>&1 || { verdict=FAILED; failed=1; }
    printf '| %s | %s | %s | %d s |\n' "$case" "$outcome" "$verdict" $((SECONDS - started))
}

install='apt-get update -qq && apt-get install -qq -y --no-install-recommends'
ensure=scripts/bootstrap/engine.sh\ ensure
whole='docker compose config --quiet; docker-compose version; scripts/bootstrap/base-images.sh needed | grep postgres:15-alpine'

printf '| machine | outcome | | took |\n| --- | --- | --- | --- |\n'
for release in bookworm trixie; do
    try $release yes "fresh-$release" 'docker, Compose and `docker-compose` are installed; the engine that answers is used' \
        "runs $ensure; has 'is already running'; $whole"
    try $release no "no-engine-$release" 'exit code 3 and one line; `docker compose config` works' \
        "refuses 3 $ensure; has 'no container engine'; docker compose config --quiet"
    try $release no "no-engine-no-root-$release" 'exit code 3 and one line; Compose alone is in build/bin; it reads the Compose files' \
        "$install python3-pip >/dev/null; refuses 3 as_tester $ensure; has 'needs root'; as_tester build/bin/docker-compose config --quiet"
    try $release yes "no-root-$release" 'Compose is installed for this user; the engine that answers is used' \
        "runs $ensure >/dev/null; rm -r /usr/local/lib/docker /usr/local/bin/docker-compose
         groupadd --non-unique --gid \$(stat -c %g /var/run/docker.sock) engine && usermod --append --groups engine tester
         runs as_tester $ensure; has 'is already running'; has 'ln -s /home/tester'; as_tester docker compose config --quiet
         as_tester scripts/bootstrap/base-images.sh needed | grep postgres:15-alpine"
done
try trixie no make-test-without-engine-trixie 'without root and engine: tests that need neither pass, the rest is named' \
    "$install make git python3-venv python3-pip >/dev/null; runs as_tester make test STAGES='unit wiring documents'
     has 'left out: tests/documents (no container engine can run here)'; has ' 0 failed'"
# The files are where Docker's packages docker-ce-cli and docker-compose-plugin put them.
try trixie yes docker-ce 'Compose is found in its package'"'"'s folder, and `docker-compose` made' \
    "runs $ensure >/dev/null; mkdir -p /usr/libexec/docker/cli-plugins; mv /usr/local/lib/docker/cli-plugins/docker-compose /usr/libexec/docker/cli-plugins/
     rm -r /usr/local/lib/docker /usr/local/bin/docker-compose; runs $ensure; $whole; readlink /usr/local/bin/docker-compose | grep ^/usr/libexec"
arm='printf "#!/bin/sh\necho aarch64\n" >/usr/local/bin/uname; chmod +x /usr/local/bin/uname'
try trixie yes aarch64-trixie 'Compose is Debian'"'"'s package' \
    "$arm; runs $ensure; dpkg -s docker-compose | grep Status; $whole"
try bookworm yes aarch64-bookworm 'one line: this release has no package of Compose v2' \
    "$arm; refuses 1 $ensure; has 'no Compose v2 for aarch64'"
# A registry of Debian's on this machine's loopback, which the engine may ask without TLS.
registry=127.0.0.1:15999
# Without the password that Debian's own configuration asks for.
configuration="{version: 0.1, storage: {filesystem: {rootdirectory: /tmp/registry}}, http: {addr: '$registry'}}"
try trixie yes registry-reached 'what is missing is pulled' \
    "runs $ensure >/dev/null; $install docker-registry curl >/dev/null; echo \"$configuration\" >/tmp/registry.yml; (docker-registry serve /tmp/registry.yml >/tmp/registry.log 2>&1 &)
     curl -sf --retry 100 --retry-delay 1 --retry-all-errors --retry-max-time 60 http://$registry/v2/ >/dev/null || { cat /tmp/registry.log; exit 1; }
     tar -cf - -C /etc hostname | docker import - $registry/small:1 >/dev/null; docker push --quiet $registry/small:1; docker image rm $registry/small:1 >/dev/null
     runs scripts/bootstrap/base-images.sh ensure $registry/small:1; has 'pulled  $registry/small:1'; docker image rm $registry/small:1 >/dev/null"
try trixie yes registry-not-reached 'a stand-in is built from Debian packages; what has none is named' \
    "runs $ensure >/dev/null; echo '$registry/exporter:1 trixie exporter PACKAGE=prometheus-nginx-exporter BINARY=/usr/bin/nginx-prometheus-exporter' >>base-images/stand-ins.txt
     runs scripts/bootstrap/base-images.sh ensure $registry/exporter:1; has 'cannot be pulled'; has 'built   $registry/exporter:1'
     runs scripts/bootstrap/base-images.sh ensure $registry/exporter:1; docker image rm $registry/exporter:1 >/dev/null
     refuses 1 scripts/bootstrap/base-images.sh ensure $registry/none:1; has 'there is no stand-in for $registry/none:1'"
exit "$failed"
