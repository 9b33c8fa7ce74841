"""The statements that the prediction log runs on the table `predictions`."""

from __future__ import annotations

from collections.abc import Sequence

from api.connections.postgres import PostgresConnection, RejectedRow
from api.prediction.log_record import LogRecord

# A column's values arrive as one text, which PostgreSQL splits and casts: half the time that an array of
# asyncpg takes in the api, and less in PostgreSQL, too (decision 3). The separator is a control character,
# which JSON has only as an escape. Each statement has two forms: without the columns of classifiers, which
# `up` adds to an older table, and with them.
# The message makes even an INSERT that finds all its rows in the table a transaction of the WAL. Otherwise
# its commit would not wait for a synchronous standby, which those rows, committed by an attempt that was
# given up, may not have reached yet (docs/operations.md, A standby).
_SEPARATOR = "\x1f"
INSERT = """
INSERT INTO predictions (id, input_data, prediction, confidence, "timestamp",
                         model_version, cached, intervals, request_id, latency)
SELECT id, input_data, predictions, confidence, to_timestamp(milliseconds / 1000.0),
       model_version, cached, intervals, request_id, latency
  FROM unnest(string_to_array($1, E'\x1f')::uuid[],      string_to_array($2, E'\x1f')::jsonb[],
              string_to_array($3, E'\x1f')::jsonb[],     string_to_array($4, E'\x1f')::jsonb[],
              string_to_array($5, E'\x1f')::float8[],    string_to_array($6, E'\x1f')::integer[],
              string_to_array($7, E'\x1f')::boolean[],   string_to_array($8, E'\x1f', '')::jsonb[],
              string_to_array($9, E'\x1f'),              string_to_array($10, E'\x1f')::float8[])
    AS row (id, input_data, predictions, confidence, milliseconds, model_version, cached,
            intervals, request_id, latency)
 WHERE (SELECT pg_logical_emit_message(true, 'predictions', ''::text)) IS NOT NULL
ON CONFLICT DO NOTHING
"""
INSERT_CLASSES = """
INSERT INTO predictions (id, input_data, prediction, confidence, "timestamp",
                         model_version, cached, intervals, request_id, latency,
                         probabilities, prediction_sets)
SELECT id, input_data, predictions, confidence, to_timestamp(milliseconds / 1000.0),
       model_version, cached, intervals, request_id, latency, probabilities, prediction_sets
  FROM unnest(string_to_array($1, E'\x1f')::uuid[],      string_to_array($2, E'\x1f')::jsonb[],
              string_to_array($3, E'\x1f')::jsonb[],     string_to_array($4, E'\x1f')::jsonb[],
              string_to_array($5, E'\x1f')::float8[],    string_to_array($6, E'\x1f')::integer[],
              string_to_array($7, E'\x1f')::boolean[],   string_to_array($8, E'\x1f', '')::jsonb[],
              string_to_array($9, E'\x1f'),              string_to_array($10, E'\x1f')::float8[],
              string_to_array($11, E'\x1f', '')::jsonb[], string_to_array($12, E'\x1f', '')::jsonb[])
    AS row (id, input_data, predictions, confidence, milliseconds, model_version, cached,
            intervals, request_id, latency, probabilities, prediction_sets)
 WHERE (SELECT pg_logical_emit_message(true, 'predictions', ''::text)) IS NOT NULL
ON CONFLICT DO NOTHING
"""
# The same for rows from the queue, each a JSON object.
INSERT_QUEUED = """
INSERT INTO predictions (id, input_data, prediction, confidence, "timestamp",
                         model_version, cached, intervals, request_id, latency)
SELECT id, input_data, predictions, confidence, to_timestamp(milliseconds / 1000.0),
       model_version, cached, intervals, request_id, latency
  FROM jsonb_to_recordset($1::jsonb) AS row (
       id uuid, input_data jsonb, predictions jsonb, confidence jsonb, milliseconds double precision,
       model_version integer, cached boolean, intervals jsonb, request_id text, latency double precision)
 WHERE (SELECT pg_logical_emit_message(true, 'predictions', ''::text)) IS NOT NULL
ON CONFLICT DO NOTHING
"""
INSERT_QUEUED_CLASSES = """
INSERT INTO predictions (id, input_data, prediction, confidence, "timestamp",
                         model_version, cached, intervals, request_id, latency,
                         probabilities, prediction_sets)
SELECT id, input_data, predictions, confidence, to_timestamp(milliseconds / 1000.0),
       model_version, cached, intervals, request_id, latency, probabilities, prediction_sets
  FROM jsonb_to_recordset($1::jsonb) AS row (
       id uuid, input_data jsonb, predictions jsonb, confidence jsonb, milliseconds double precision,
       model_version integer, cached boolean, intervals jsonb, request_id text, latency double precision,
       probabilities jsonb, prediction_sets jsonb)
 WHERE (SELECT pg_logical_emit_message(true, 'predictions', ''::text)) IS NOT NULL
ON CONFLICT DO NOTHING
"""
_OF_CLASSES = b'"probabilities":'  # a key of a queued row; in a string of a row its quotes would be escaped
_COLUMNS = 10  # of a row without classes
MAINTAIN = "SELECT maintain_predictions()"  # returns what it dropped
KEPT_DAYS = "SELECT log_days FROM retention"


async def insert(connection: PostgresConnection, records: Sequence[LogRecord], within: float) -> None:
    """Write records and return after the commit; existing rows are kept."""
    statement, arguments = insertion(records)
    await connection.run(statement, *arguments, within=within)


def insertion(records: Sequence[LogRecord]) -> tuple[str, list[str]]:
    """Return the statement that writes the records, and its arguments: a text for each column."""
    columns = [*zip(*records, strict=True)]
    if any(columns[_COLUMNS]):
        return INSERT_CLASSES, [_text(column) for column in columns]
    return INSERT, [_text(column) for column in columns[:_COLUMNS]]


def _text(column: Sequence[object]) -> str:
    """Return the values as one text; NULL is an empty value."""
    try:
        return _SEPARATOR.join(column)  # type: ignore[arg-type] # quick, and most columns are strings
    except TypeError:
        return _SEPARATOR.join(["" if value is None else str(value) for value in column])


async def insert_queued(connection: PostgresConnection, rows: Sequence[bytes], within: float) -> None:
    """Write rows of the queue and return after the commit; existing rows are kept."""
    try:
        batch = (b"[" + b",".join(rows) + b"]").decode()
    except UnicodeDecodeError as error:
        raise RejectedRow(str(error)) from error
    statement = INSERT_QUEUED_CLASSES if any(_OF_CLASSES in row for row in rows) else INSERT_QUEUED
    await connection.run(statement, batch, within=within)
