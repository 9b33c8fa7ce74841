"""The monitoring overlay."""
