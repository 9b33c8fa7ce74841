"""Tests of asynchronous predictions (profile async) in the running stack."""
