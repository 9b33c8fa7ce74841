"""The worker of asynchronous predictions: python -m api.worker.

It takes ids from RabbitMQ, answers the jobs in PostgreSQL, and publishes lost messages again.
"""
