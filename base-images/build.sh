#!/usr/bin/env bash
# Build stand-ins for public images out of Debian packages: for a machine that has a Docker engine and a Debian
# mirror, but reaches no image registry. Needs root (or an installed mmdebstrap).
#
#   build.sh IMAGE…       IMAGE as in stand-ins.txt; builds it whether or not it is there
#
# TAG_PREFIX=x/ names the results x/IMAGE instead of IMAGE, to try a change without replacing anything.
# shellcheck disable=SC2016 # text in single quotes is expanded by apt and mmdebstrap
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=scripts/bootstrap/debian.sh
. "$here/../scripts/bootstrap/debian.sh"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

since() { awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f s", b - a }'; }
megabytes() { docker image inspect -f '{{.Size}}' "$1" | awk '{ printf "%d MB", $1 / 1e6 }'; }

quietly() { # quietly LOG COMMAND…: its output only matters when it fails
    local log=$1
    shift
    "$@" >"$log" 2>&1 || { tail -n 40 "$log" >&2; return 1; }
}

mirror() { # mirror CODENAME-PATTERN: where this machine's own apt gets Debian's packages of such a release
    local uri
    uri=$(apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(REPO_URI)' 'Created-By: Packages' |
        awk -v pattern="$1" '$1 == "Debian" && $2 ~ pattern { print $3; exit }')
    case $uri in # Debian's cloud images name a file that lists mirrors
    mirror+file:*) uri=$(awk '!/^#/ && NF { print $1; exit }' "${uri#mirror+file:}") ;;
    esac
    echo "$uri"
}

write_sources() { # write_sources RELEASE FILE
    local release=$1 main security
    main=$(mirror '^[a-z]+$')
    security=$(mirror '-security$')
    [ -n "$main" ] || fail "this machine's apt knows no Debian mirror, so no stand-ins can be built for public images"
    {
        source_of "$main" "$release" "$release-updates"
        [ -z "$security" ] || source_of "$security" "$release-security"
    } >"$2"
}

source_of() { # source_of URI SUITE…
    local uri=$1
    shift
    printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' "$uri" "$*" "$keyring"
    # A testing release's package lists expire within a week, which a mirror that lags behind would exceed.
    ! [[ $1 == forky* ]] || echo 'Check-Valid-Until: no'
    echo
}

apt_proxies() { # the machine's own apt proxy settings, as apt configuration lines
    apt-config dump | grep -E '^Acquire::https?::Proxy(::| ")' || true
}

debian_root() { # debian_root RELEASE FOLDER: a minimal root as a tar stream
    local release=$1 dir=$2 options=() packages=ca-certificates,tzdata,netbase,busybox
    if [ "$release" = bookworm ]; then # its usrmerge package would bring all of perl
        options+=(--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr)
        packages+=,usr-is-merged
    fi
    mmdebstrap --quiet --variant=minbase --include="$packages" "${options[@]}" \
        --aptopt="$dir/apt.conf" --dpkgopt=force-unsafe-io \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/info/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        --customize-hook='rm -f "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/*' \
        --customize-hook="copy-in $dir/debian.sources /etc/apt/sources.list.d" \
        --customize-hook="upload $dir/docker-clean /etc/apt/apt.conf.d/docker-clean" \
        --customize-hook="sync-in $dir/certificates /usr/local/share/ca-certificates" \
        --customize-hook='chroot "$1" update-ca-certificates >/dev/null 2>&1' \
        "$release" - "$dir/debian.sources"
}

build_root() { # build_root RELEASE: the image that this release's stand-ins start from
    local release=$1 tag=standin/base:$1 dir started=$EPOCHREALTIME
    ! docker image inspect "$tag" >/dev/null 2>&1 || return 0
    dir=$(mktemp -d)
    write_sources "$release" "$dir/debian.sources"
    {
        echo 'Acquire::Languages "none";'
        apt_proxies
    } >"$dir/apt.conf"
    echo 'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb || true"; };' >"$dir/docker-clean"
    mkdir "$dir/certificates" # the images trust the certificates that this machine trusts, such as an intercepting proxy's
    find /usr/local/share/ca-certificates -name '*.crt' -exec cp {} "$dir/certificates/" \; 2>/dev/null || true
    debian_root "$release" "$dir" 2>"$dir/log" | docker import --change 'CMD ["bash"]' - "$tag" >"$dir/id" || {
        tail -n 40 "$dir/log" >&2
        docker image rm "$tag" >/dev/null 2>&1 # the imported image is incomplete
        return 1
    }
    rm -rf "$dir"
    echo "built   $tag  $(since "$started")  $(megabytes "$tag")"
}

# shellcheck disable=SC2329 # called through quietly
# The default builder sees the engine's own images; without buildx the classic one does.
docker_build() {
    if docker buildx version >/dev/null 2>&1; then
        docker build --builder default "$@"
    else
        DOCKER_BUILDKIT=0 docker build "$@"
    fi
}

build() { # build IMAGE RELEASE FOLDER [NAME=VALUE…]
    local image=$1 release=$2 folder=$3 tag=${TAG_PREFIX:-}$1 started=$EPOCHREALTIME options=() argument log
    shift 3
    for argument in "$@" http_proxy https_proxy no_proxy; do
        case $argument in *=*) ;; *) [ -n "${!argument:-}" ] || continue ;; esac
        options+=(--build-arg "$argument")
    done
    log=$(mktemp)
    quietly "$log" docker_build --tag "$tag" --label "standin.for=$image" \
        --build-arg "BASE=standin/base:$release" "${options[@]}" "$here/$folder"
    rm -f "$log"
    echo "built   $tag  $(since "$started")  $(megabytes "$tag")"
}

build_release() { # build_release RELEASE IMAGE…: those of the images that come from this release
    local release=$1 image name from rest root=
    shift
    for image in "$@"; do
        read -r name from rest < <(awk -v image="$image" '$1 == image' "$here/stand-ins.txt")
        [ "$from" = "$release" ] || continue
        [ -n "$root" ] || build_root "$release"
        root=there
        # shellcheck disable=SC2086 # the rest of the line is a folder and arguments
        build "$name" "$from" $rest
    done
}

[ $# -gt 0 ] || { sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 2; }
for image in "$@"; do
    awk -v image="$image" '$1 == image { found = 1 } END { exit !found }' "$here/stand-ins.txt" ||
        fail "there is no stand-in for $image (base-images/stand-ins.txt lists what there is)"
done
command -v apt-get >/dev/null || fail "stand-ins for public images are built from Debian packages, and this is no Debian machine"
command -v mmdebstrap >/dev/null || apt_install mmdebstrap
[ -n "$(mirror '^[a-z]+$')" ] || apt_update # the mirror's origin is known only after its lists were fetched

# One job per release: on two cores this halves the time.
mapfile -t releases < <(awk '!/^#/ { print $2 }' "$here/stand-ins.txt" | sort -u)
jobs=()
for release in "${releases[@]}"; do
    build_release "$release" "$@" &
    jobs+=($!)
done
failed=0
for job in "${jobs[@]}"; do wait "$job" || failed=1; done
exit "$failed"
