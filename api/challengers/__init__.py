"""Versions that are tried beside the current one: the shadow is scored, the canary is watched."""
