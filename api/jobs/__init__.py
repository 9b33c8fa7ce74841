"""Asynchronous predictions: POST /jobs, GET /jobs/{id}, and what the api and the worker share for them.

The job's row in PostgreSQL is authoritative. RabbitMQ carries ids to workers; a lost message is published
again from the row, a duplicate one finds the job done.
"""
