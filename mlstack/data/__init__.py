"""The training table: making, checking and reading it."""
