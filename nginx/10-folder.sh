#!/bin/sh
# The image's next script renders the templates into this folder, which must exist.
mkdir -p /tmp/nginx
