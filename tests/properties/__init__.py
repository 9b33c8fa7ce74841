"""Tests of the rules, for any input."""
