"""Find workers by what they wait for, and kill them at that moment."""

from __future__ import annotations

import os
import signal

from tests.stack import Stack

# The last thing that a worker asks the database before it calls Microsoft is for the token.
AT_MICROSOFT = "state = 'idle' AND query LIKE '%teams_teamsconnection%'"
WAITING_FOR_A_LOCK = "wait_event_type = 'Lock'"
CLAIMED = "SELECT count(*) FROM integrations_meeting WHERE lease_token IS NOT NULL"


def is_claimed(stack: Stack) -> bool:
    """Return whether a worker holds a meeting."""
    return stack.sql(CLAIMED) != [(0,)]


def matching_workers(stack: Stack, where: str) -> list[str]:
    """Return the names of the workers with a database connection that matches the condition."""
    found = f"SELECT DISTINCT application_name {_clients(where)} ORDER BY 1"
    return [name for (name,) in stack.sql(found)]


def kill_matching_workers(stack: Stack, where: str) -> None:
    """Kill the matching workers together with their database connections. At least one worker survives."""
    stack.wait_until(lambda: matching_workers(stack, where))
    for name in matching_workers(stack, where):
        stack.kill(name)
    stack.sql(f"SELECT pg_terminate_backend(pid) {_clients(where)}")
    if not any(map(stack.is_running, stack.workers)):
        stack.start("worker2")


def kill_all(stack: Stack) -> None:
    """Kill all workers."""
    for name in stack.workers:
        stack.kill(name)


def send(stack: Stack, name: str, sent: signal.Signals) -> None:
    """Freeze or thaw a worker with all its processes."""
    os.killpg(stack.pid(name), sent)


def _clients(where: str) -> str:
    name = "datname = current_database() AND application_name LIKE 'worker%'"
    return f"FROM pg_stat_activity WHERE {name} AND {where}"
