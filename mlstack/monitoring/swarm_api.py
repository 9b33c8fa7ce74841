"""Answers of the API of a Swarm's managers: the fields that are looked at (engine 20.10 and later)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import msgspec


class _Description(msgspec.Struct, rename="pascal"):
    hostname: str = ""


class _NodeSpec(msgspec.Struct, rename="pascal"):
    role: str = ""
    availability: str = ""


class _NodeStatus(msgspec.Struct, rename="pascal"):
    state: str = "unknown"  # unknown, down, ready or disconnected


class Node(msgspec.Struct, rename="pascal"):
    """A node in the answer of GET /nodes."""

    id: str = msgspec.field(name="ID")
    spec: _NodeSpec = msgspec.field(default_factory=_NodeSpec)
    status: _NodeStatus = msgspec.field(default_factory=_NodeStatus)
    description: _Description = msgspec.field(default_factory=_Description)


class _ServiceSpec(msgspec.Struct, rename="pascal"):
    name: str
    labels: dict[str, str] | None = None
    mode: dict[str, object] = msgspec.field(default_factory=dict)


class _UpdateStatus(msgspec.Struct, rename="pascal"):
    state: str = ""  # updating, paused, completed, rollback_started, rollback_paused or rollback_completed


class _Counts(msgspec.Struct, rename="pascal"):
    desired_tasks: int = 0  # RunningTasks beside it counts those of lost nodes, too


class Service(msgspec.Struct, rename="pascal"):
    """A service in the answer of GET /services?status=true."""

    spec: _ServiceSpec
    id: str = msgspec.field(name="ID")
    update_status: _UpdateStatus | None = None
    service_status: _Counts = msgspec.field(default_factory=_Counts)


class _TaskStatus(msgspec.Struct, rename="pascal"):
    state: str = ""


class Task(msgspec.Struct, rename="pascal"):
    """A task in the answer of GET /tasks: a replica, which runs once it is healthy."""

    service_id: str = msgspec.field(name="ServiceID", default="")
    node_id: str = msgspec.field(name="NodeID", default="")  # none yet while no node has room
    desired_state: str = ""
    status: _TaskStatus = msgspec.field(default_factory=_TaskStatus)


@dataclass(frozen=True, slots=True)
class SwarmState:
    """What the managers have answered."""

    nodes: list[Node]
    services: list[Service]
    tasks: list[Task]

    def running(self) -> Counter[str]:
        """Return by service how many replicas run on nodes from which the managers hear."""
        ready = {node.id for node in self.nodes if node.status.state == "ready"}
        return Counter(
            task.service_id
            for task in self.tasks
            if task.node_id in ready and task.desired_state == task.status.state == "running"
        )
