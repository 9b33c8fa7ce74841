#!/usr/bin/env bash
# Ask PyPI for known vulnerabilities of what both images install (make audit). One line says so where it cannot be
# asked; a mirror that has the packages only knows of no vulnerability, so what it answers is no audit.
set -euo pipefail
cd "$(dirname "$0")/../.."
for lock in requirements.lock api/requirements.lock images/object-store.lock custom/requirements.txt; do
    [ -e "$lock" ] || continue # your own estimator's, which may have no hashes
    status=0 exact=--require-hashes
    [ "$lock" != custom/requirements.txt ] || exact=--no-deps
    said=$(.venv/bin/pip-audit --requirement "$lock" --strict "$exact" --disable-pip --progress-spinner off --timeout 10 2>&1) ||
        status=$?
    if grep -qE 'ConnectionError|ConnectTimeout|ServiceError|could not be audited' <<<"$said"; then
        echo "not audited: $lock: PyPI's list of known vulnerabilities cannot be had from here"
    else
        printf '%s: %s\n' "$lock" "$said"
        [ "$status" = 0 ] || exit "$status"
    fi
done
