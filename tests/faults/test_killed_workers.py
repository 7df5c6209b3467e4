"""A worker is killed at critical moments. The other worker finishes its work without duplicates."""

from __future__ import annotations

import signal

from tests.faults import microsoft, workers
from tests.faults.agreement import expect_agreement
from tests.faults.conftest import Office
from tests.faults.microsoft import CREATE
from tests.faults.workers import AT_MICROSOFT, WAITING_FOR_A_LOCK
from tests.stack import Stack

REMOTE_ID = "SELECT remote_id FROM integrations_meeting WHERE id = %s"


def test_a_worker_killed_before_its_call_is_replaced_by_the_other(stack: Stack, maple: Office) -> None:
    made = microsoft.created(stack)
    stack.control("fault", kind="unavailable", regex=CREATE, count=1)
    maple.desk.book(maple.hosts[0])
    stack.wait_until(lambda: microsoft.asked(stack, CREATE))

    # The retrying worker waits for a token: the meeting is claimed, and no request was sent.
    with stack.holding("LOCK teams_teamsconnection"):
        stack.wait_until(lambda: workers.is_claimed(stack))
        workers.kill_matching_workers(stack, WAITING_FOR_A_LOCK)
        assert microsoft.created(stack) == made

    expect_agreement(stack)
    assert microsoft.created(stack) == made + 1


def test_a_worker_killed_before_microsofts_answer_makes_no_second_meeting(stack: Stack, maple: Office) -> None:
    made = microsoft.created(stack)
    stack.control("fault", kind="slow", regex=CREATE, seconds=2, count=1)
    meeting = maple.desk.meeting(maple.desk.book(maple.hosts[0]))
    stack.wait_until(lambda: microsoft.created(stack) == made + 1)

    workers.kill_matching_workers(stack, AT_MICROSOFT)
    stack.wait_until(lambda: microsoft.asked(stack, CREATE))
    assert stack.sql(REMOTE_ID, meeting) == [("",)]

    expect_agreement(stack)
    assert microsoft.created(stack) == made + 1


def test_a_worker_killed_between_the_answer_and_the_write_makes_no_second_meeting(stack: Stack, maple: Office) -> None:
    made = microsoft.created(stack)
    stack.control("fault", kind="latency", regex=CREATE, ms=2500, count=1)
    meeting = maple.desk.meeting(maple.desk.book(maple.hosts[0]))
    stack.wait_until(lambda: workers.is_claimed(stack))

    # The worker that received the answer waits here.
    with stack.holding(f"SELECT 1 FROM integrations_meeting WHERE id = '{meeting}' FOR UPDATE"):
        stack.wait_until(lambda: microsoft.created(stack) == made + 1)
        workers.kill_matching_workers(stack, WAITING_FOR_A_LOCK)
    assert stack.sql(REMOTE_ID, meeting) == [("",)]

    expect_agreement(stack)
    assert microsoft.created(stack) == made + 1


def test_the_meeting_of_a_killed_worker_is_deleted_when_the_appointment_is_cancelled(
    stack: Stack, maple: Office
) -> None:
    made = microsoft.created(stack)
    stack.control("fault", kind="slow", regex=CREATE, seconds=2, count=1)
    booked = maple.desk.book(maple.hosts[0])
    stack.wait_until(lambda: microsoft.created(stack) == made + 1)
    workers.kill_matching_workers(stack, AT_MICROSOFT)

    maple.desk.cancel(booked)

    expect_agreement(stack)


def test_a_worker_frozen_for_longer_than_its_lease_overwrites_nothing_afterwards(stack: Stack, maple: Office) -> None:
    made = microsoft.created(stack)
    stack.control("fault", kind="latency", regex=CREATE, ms=2500, count=1)
    booked = maple.desk.book(maple.hosts[0])
    stack.wait_until(lambda: workers.matching_workers(stack, AT_MICROSOFT))
    (frozen,) = workers.matching_workers(stack, AT_MICROSOFT)
    workers.send(stack, frozen, signal.SIGSTOP)
    maple.desk.move(booked)
    expect_agreement(stack)

    workers.send(stack, frozen, signal.SIGCONT)

    maple.desk.move(booked)
    expect_agreement(stack)
    assert microsoft.created(stack) == made + 1
