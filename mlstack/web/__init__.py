"""Shared by both servers: problems, bodies, instances, API keys, served models, draining."""
