"""Tests of the rules, one module at a time."""
