"""Asynchronous predictions: POST /jobs, GET /jobs/{id}, and what the api and the worker share for them.

The job's row in PostgreSQL is the truth. RabbitMQ carries ids to workers; a message that gets lost is
published again from the row, one that comes twice finds the job done.
"""
