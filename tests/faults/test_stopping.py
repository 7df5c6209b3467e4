"""Stop workers in the middle of work, and trace their work to requests in the logs."""

from __future__ import annotations

from tests.faults import microsoft, workers
from tests.faults.agreement import expect_agreement
from tests.faults.conftest import Office
from tests.faults.microsoft import CREATE
from tests.faults.workers import AT_MICROSOFT
from tests.stack import Stack

LINK = "SELECT join_url <> '', lease_token IS NULL, attempts FROM integrations_meeting WHERE id = %s"


def test_a_worker_that_is_asked_to_stop_finishes_its_call_and_writes_the_link(stack: Stack, maple: Office) -> None:
    made = microsoft.created(stack)
    stack.control("fault", kind="latency", regex=CREATE, ms=2000, count=1)
    meeting = maple.desk.meeting(maple.desk.book(maple.hosts[0]))
    stack.wait_until(lambda: workers.matching_workers(stack, AT_MICROSOFT))
    (busy,) = workers.matching_workers(stack, AT_MICROSOFT)
    # No other worker could finish it.
    for name in [name for name in stack.workers if name != busy]:
        stack.kill(name)

    stack.stop(busy)

    assert stack.sql(LINK, meeting) == [(True, True, 0)]
    assert microsoft.created(stack) == made + 1
    stack.start(*stack.workers)
    expect_agreement(stack)


def test_a_workers_log_has_the_request_id_of_the_booking(stack: Stack, maple: Office) -> None:
    maple.desk.book(maple.hosts[0])
    request_id = maple.desk.last_request_id
    expect_agreement(stack)

    lines = [line for name in stack.workers for line in stack.lines(name)]
    asked = [line for line in lines if "Graph POST" in line and f"[request {request_id}]" in line]
    assert len(asked) == 1


def test_a_worker_survives_the_loss_of_its_broker_during_a_task_and_reconnects(stack: Stack, maple: Office) -> None:
    stack.control("fault", kind="latency", regex=CREATE, ms=1000, count=1)
    meeting = maple.desk.meeting(maple.desk.book(maple.hosts[0]))
    stack.wait_until(lambda: workers.matching_workers(stack, AT_MICROSOFT))
    (busy,) = workers.matching_workers(stack, AT_MICROSOFT)
    # No other worker could do it.
    for name in [name for name in stack.workers if name != busy]:
        stack.kill(name)

    stack.broker.stop()
    stack.wait_until(lambda: stack.sql(LINK, meeting) == [(True, True, 0)])
    stack.broker.start()

    maple.desk.book(maple.hosts[0])
    expect_agreement(stack)
    assert stack.is_running(busy)
