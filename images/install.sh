#!/bin/sh
# Install the packages of a lock into /opt/venv and leave out what images/left-out.txt names: install.sh LOCK
# Both in one RUN, so that no layer holds what is left out. Run again, it leaves what a lower layer holds alone.
# With --custom the file has exact versions without hashes, or a lock's; without the file there is nothing to do.
set -eu
here=$(dirname "$0")
if [ "$1" = --custom ]; then
    [ -e "$2" ] || exit 0
    python "$here/custom.py" "$2"
else
    pip --python /opt/venv/bin/python --no-cache-dir --disable-pip-version-check \
        install --quiet --root-user-action ignore --no-compile --require-hashes -r "$1"
fi
python "$here/slim.py" /opt/venv/lib/python3*/site-packages
