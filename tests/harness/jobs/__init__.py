"""Clients of POST /jobs."""
