"""Property-based tests: the rules, for any input."""
