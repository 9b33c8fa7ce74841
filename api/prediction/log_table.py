"""The statements that the prediction log runs on the table `predictions`."""

from __future__ import annotations

from api.connections.postgres import PostgresConnection, RejectedRow

# Each row is one JSON object; the same text waits in the queue while PostgreSQL is away.
INSERT = """
INSERT INTO predictions (id, input_data, prediction, confidence, "timestamp",
                         model_version, cached, intervals, request_id, latency)
SELECT id, input_data, predictions, confidence, to_timestamp(milliseconds / 1000.0),
       model_version, cached, intervals, request_id, latency
  FROM jsonb_to_recordset($1::jsonb) AS row (
       id uuid, input_data jsonb, predictions jsonb, confidence jsonb, milliseconds double precision,
       model_version integer, cached boolean, intervals jsonb, request_id text, latency double precision)
ON CONFLICT DO NOTHING
"""
MAINTAIN = "SELECT maintain_predictions($1)"


async def insert(connection: PostgresConnection, rows: list[bytes], within: float) -> None:
    """Write rows, each a JSON object, and return after the commit; rows that are there already stay."""
    try:
        batch = (b"[" + b",".join(rows) + b"]").decode()
    except UnicodeDecodeError as error:
        raise RejectedRow(str(error)) from error
    await connection.run(INSERT, batch, within=within)
