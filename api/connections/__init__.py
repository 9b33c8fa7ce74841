"""Connections to PostgreSQL and Redis that reconnect by themselves, and background tasks."""
