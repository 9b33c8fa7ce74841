"""Random requests that a server may refuse, and must never fail at. By hand: scripts/develop/fuzz.sh."""
