#!/bin/sh
# Adds HTTPS where a certificate is mounted: /etc/nginx/certs/tls.crt (the whole chain) and tls.key.
set -eu
certs=/etc/nginx/certs
if [ ! -r "$certs/tls.crt" ] || [ ! -r "$certs/tls.key" ]; then
    echo "no certificate in $certs: HTTP only, on loopback"
    exit 0
fi
cat >/tmp/nginx/http-tls.conf <<CONF
ssl_certificate $certs/tls.crt;
ssl_certificate_key $certs/tls.key;
ssl_protocols TLSv1.2 TLSv1.3;
ssl_session_cache shared:tls:10m;
ssl_session_timeout 1h;
CONF
echo 'listen 8443 ssl; add_header Strict-Transport-Security "max-age=31536000" always;' >/tmp/nginx/api-tls.conf
echo 'listen 5443 ssl; add_header Strict-Transport-Security "max-age=31536000" always;' >/tmp/nginx/serve-tls.conf
