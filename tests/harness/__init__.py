"""Shared code of the tests: processes, the stack, load, the documents. The suites are beside this folder."""
