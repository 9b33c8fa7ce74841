"""The tests. harness/ holds their shared code."""

import pytest

# Before the first import of it: a failing assertion of the harness is explained like one of a test.
pytest.register_assert_rewrite("tests.harness")
