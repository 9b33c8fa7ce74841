"""The production overlay: external databases, secrets from files, HTTPS, keys; and monitoring on top."""
