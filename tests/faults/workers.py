"""Which worker is where, so that a test can strike it in exactly that moment."""

from __future__ import annotations

import os
import signal

from tests.stack import Stack

# The last thing that a worker asks the database before it calls Microsoft is for the token.
AT_MICROSOFT = "state = 'idle' AND query LIKE '%teams_teamsconnection%'"
WAITING_FOR_A_LOCK = "wait_event_type = 'Lock'"
CLAIMED = "SELECT count(*) FROM integrations_meeting WHERE lease_token IS NOT NULL"


def is_claimed(stack: Stack) -> bool:
    """Whether a worker works on a meeting."""
    return stack.sql(CLAIMED) != [(0,)]


def those(stack: Stack, where: str) -> list[str]:
    """The names of the workers with a process in this state."""
    found = f"SELECT DISTINCT application_name {_clients(where)} ORDER BY 1"
    return [name for (name,) in stack.sql(found)]


def kill_those(stack: Stack, where: str) -> None:
    """They lose their power, and what they had sent to the database dies with them. One goes on in any case."""
    stack.wait_until(lambda: those(stack, where))
    for name in those(stack, where):
        stack.kill(name)
    stack.sql(f"SELECT pg_terminate_backend(pid) {_clients(where)}")
    if not any(map(stack.is_running, stack.workers)):
        stack.start("worker2")


def kill_all(stack: Stack) -> None:
    """Nobody works."""
    for name in stack.workers:
        stack.kill(name)


def send(stack: Stack, name: str, sent: signal.Signals) -> None:
    """Freeze or thaw a worker with all its processes."""
    os.killpg(stack.pid(name), sent)


def _clients(where: str) -> str:
    name = "datname = current_database() AND application_name LIKE 'worker%'"
    return f"FROM pg_stat_activity WHERE {name} AND {where}"
