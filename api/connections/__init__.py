"""Connections to PostgreSQL and Redis that reconnect automatically, and background tasks."""
