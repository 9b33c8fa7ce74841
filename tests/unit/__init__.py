"""Unit tests: the rules of one module at a time."""
