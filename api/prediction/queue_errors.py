"""Why the prediction log's queue takes no rows."""

from __future__ import annotations

from typing import Any

import hiredis

from api.connections.redis import RedisUnavailable, Reply


class QueueFull(Exception):
    """The queue holds as many rows as its limit allows, or as Redis has memory for."""


class ReplicasMissing(RedisUnavailable):
    """Too few of Redis' replicas have received the rows in time."""


def checked(reply: Reply) -> Any:
    """Return the reply; raise QueueFull, ReplicasMissing or RedisUnavailable if it is an error."""
    if isinstance(reply, hiredis.ReplyError):
        if "OOM" in str(reply):
            raise QueueFull("Redis has no memory left for the queue")
        if "NOREPLICAS" in str(reply):  # min-replicas-to-write; of a transaction its EXECABORT comes later
            raise ReplicasMissing("Redis has too few replicas to take it")
        raise RedisUnavailable(str(reply))
    return reply
