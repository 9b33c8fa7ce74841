#!/usr/bin/env bash
# Create or update .venv, so that it holds exactly the packages of tests/requirements.lock.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/bootstrap/debian.sh
. scripts/bootstrap/debian.sh
wanted=$(sha256sum <tests/requirements.lock)
marker=.venv/installed.sha256

suits() { "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    local python
    for python in python3 /usr/bin/python3 python3.14 python3.13 python3.12 python3.11; do
        if suits "$python"; then
            echo "$python"
            return
        fi
    done
    return 1
}

# uv is several times as fast as pip. It gets the index that pip is configured for; if it fails, pip installs.
install() {
    awk '/^[^ ]/ { uv = /^uv==/ } uv' tests/requirements.lock >build/uv.txt
    [ -x .venv/bin/uv ] || pip install --require-hashes -r build/uv.txt
    UV_DEFAULT_INDEX=${PIP_INDEX_URL:-$(pip config get global.index-url 2>/dev/null || echo https://pypi.org/simple)} \
        .venv/bin/uv pip install --quiet --system-certs --python .venv/bin/python --require-hashes -r tests/requirements.lock ||
        pip install --require-hashes -r tests/requirements.lock
}
pip() { .venv/bin/python -m pip --quiet --disable-pip-version-check "$@"; }

mkdir -p build
exec 9>build/venv.flock # only one run at a time may install
flock 9
if [ "$(cat "$marker" 2>/dev/null)" != "$wanted" ] || ! .venv/bin/python -c '' 2>/dev/null; then
    started=$SECONDS
    python=$(find_python) || { apt_install python3 python3-venv; python=$(find_python); } ||
        fail "needs Python 3.11 or newer with venv"
    .venv/bin/python -c '' 2>/dev/null || "$python" -m venv --clear .venv
    install
    echo "$wanted" >"$marker"
    say ".venv   installed from tests/requirements.lock in $((SECONDS - started)) s"
fi
