#!/bin/sh
# The templates are rendered by the image's next script, which wants a folder that is there.
mkdir -p /tmp/nginx
