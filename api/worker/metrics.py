"""Every metric of the worker.

The gauges of the table and of the queues have the same value on every replica: aggregate by max, not by sum.
"""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

from api.jobs.metrics import REGISTRY

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0)
STATES = ("pending", "in_progress", "completed", "failed")
_OUTCOMES = ("completed", "failed", "released", "skipped")

processing_seconds = Histogram(
    "jobs_processing_seconds", "Time from taking a job to its commit", buckets=_SECONDS, registry=REGISTRY
)
waiting_seconds = Histogram(
    "jobs_waiting_seconds",
    "Time from a job's submission until a worker takes it",
    buckets=(*_SECONDS, 60.0, 300.0, 3600.0),
    registry=REGISTRY,
)
_deliveries = Counter(
    "jobs_deliveries_total",
    "Messages handled by outcome; skipped: the job was finished or taken by another worker",
    ["outcome"],
    registry=REGISTRY,
)
deliveries = {outcome: _deliveries.labels(outcome) for outcome in _OUTCOMES}
prediction_instances = Counter("jobs_prediction_instances_total", "Instances predicted", registry=REGISTRY)
republished = Counter(
    "jobs_republished_total", "Jobs whose message the sweeper published again", registry=REGISTRY
)
_jobs = Gauge("jobs", "Jobs in the table by state", ["state"], registry=REGISTRY)
jobs = {state: _jobs.labels(state) for state in STATES}
queue_messages = Gauge("jobs_queue_messages", "Messages that wait in RabbitMQ", ["queue"], registry=REGISTRY)
store_up = Gauge("store_up", "1 while the store answers", ["store"], registry=REGISTRY)
hung = Gauge("jobs_worker_hung", "1 while a task of the worker makes no progress", registry=REGISTRY)
