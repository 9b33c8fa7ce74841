#!/bin/sh
# Adds HTTPS where a certificate is mounted: /etc/nginx/certs/tls.crt (the whole chain) and tls.key.
# Both are followed: a changed pair counts within seconds, and no connection is dropped.
set -eu
certs=/etc/nginx/certs

problem() { # one line that says what is wrong with the pair; nothing if it can be used
    for file in tls.crt tls.key; do
        [ -e "$certs/$file" ] || { echo "$certs/$file is missing, the other half of the pair is there"; return; }
        [ -r "$certs/$file" ] || { echo "$certs/$file is present but unreadable for nginx's user, $(id -u): chmod 644 it"; return; }
    done
    nginx -t 2>&1 | sed -n 's/.*\[emerg\] \([0-9]*#[0-9]*: \)\{0,1\}//p' | head -n 1
}

add_https() { # only what nginx -t has passed with the certificate is what nginx starts with
    cat >/tmp/nginx/http-tls.conf <<CONF
ssl_certificate $certs/tls.crt;
ssl_certificate_key $certs/tls.key;
ssl_protocols TLSv1.2 TLSv1.3;
ssl_session_cache shared:tls:10m;
ssl_session_timeout 1h;
keepalive_min_timeout 10s; # a connection that waits for its next request outlives a reload
CONF
    echo 'listen 8443 ssl; add_header Strict-Transport-Security "max-age=31536000" always;' >/tmp/nginx/api-tls.conf
    echo 'listen 5443 ssl; add_header Strict-Transport-Security "max-age=31536000" always;' >/tmp/nginx/serve-tls.conf
}

expired() { # one line if the certificate that new connections are shown has expired
    curl -sk -o /dev/null --max-time 3 -w '%{certs}' https://127.0.0.1:8443/livez |
        awk -v now="$(date -u +%Y%m%d%H%M%S)" 'sub(/^Expire date: */, "") {
            month = (index("JanFebMarAprMayJunJulAugSepOctNovDec", $1) + 2) / 3
            gsub(":", "", $3)
            if ($4 sprintf("%02d%02d", month, $2) $3 < now) print "the certificate has expired: " $1, $2, $4
            exit
        }' || true
}

fingerprint() { cksum "$certs/tls.crt" "$certs/tls.key" 2>&1 || true; }

follow() { # new content counts when two looks have found it: a file may be half-written
    taken=$1 seen=$1 looks=0
    while sleep 2; do
        [ $((looks % 1800)) != 0 ] || complain "$(expired)"
        looks=$((looks + 1))
        found=$(fingerprint)
        if [ "$found" = "$taken" ] || [ "$found" != "$seen" ]; then seen=$found; continue; fi
        taken=$found looks=0
        wrong=$(problem)
        complain "${wrong:+$wrong: the earlier certificate stays in use}"
        [ -z "$wrong" ] || continue
        kill -HUP "$(cat /tmp/nginx.pid)"
        echo "TLS: changed certificate in use"
    done
}

complain() { [ -z "$1" ] || echo "TLS: $1" >&2; }

if [ ! -r "$certs" ] || [ ! -x "$certs" ]; then
    complain "$certs, TLS_DIR on the host, is unreadable for nginx's user, $(id -u): chmod 755 it"
    exit 1
fi
if [ ! -e "$certs/tls.crt" ] && [ ! -e "$certs/tls.key" ]; then
    echo "no certificate in $certs: HTTP only, on loopback"
    exit 0
fi
add_https
wrong=$(problem)
[ -z "$wrong" ] || { complain "$wrong"; exit 1; }
follow "$(fingerprint)" </dev/null &
