"""Requests change while workers are busy, and tasks arrive repeatedly or in another order."""

from __future__ import annotations

import redis
from celery import Celery
from kombu import Connection

from coconut.local_urls import cache_url
from tests.faults import microsoft, workers
from tests.faults.agreement import expect_agreement
from tests.faults.conftest import Office
from tests.faults.microsoft import CREATE, MEETING
from tests.stack import Stack


def test_the_same_task_delivered_three_times_makes_one_meeting(stack: Stack, maple: Office) -> None:
    before = len(microsoft.asked(stack, CREATE))
    stack.control("fault", kind="latency", regex=CREATE, ms=700)
    booked = maple.desk.book(maple.hosts[0])

    # Not `Celery(broker=...)`: CELERY_BROKER_URL in the environment, the tests' own broker, takes precedence over it.
    with Celery() as app, Connection(stack.environment["CELERY_BROKER_URL"]) as connection:
        for _ in range(3):
            app.send_task("integrations.sync_meeting", [maple.desk.meeting(booked)], connection=connection)

    expect_agreement(stack)
    assert len(microsoft.asked(stack, CREATE)) == before + 1


def test_tasks_delivered_in_reverse_order_end_at_the_last_request(stack: Stack, maple: Office) -> None:
    made = microsoft.created(stack)
    workers.kill_all(stack)
    moved, cancelled = maple.desk.book(maple.hosts[0]), maple.desk.book(maple.hosts[0])
    never_made = maple.desk.meeting(cancelled)
    maple.desk.move(moved)
    maple.desk.cancel(cancelled)
    maple.desk.move(maple.booked[0])
    maple.desk.reassign(maple.booked[0], maple.hosts[1])
    reverse_the_queues(stack)

    stack.start(*stack.workers)

    expect_agreement(stack)
    assert microsoft.created(stack) == made + 1
    assert [each for each in stack.simulator_state("meetings") if each["external_id"] == never_made] == []


def reverse_the_queues(stack: Stack) -> None:
    """Deliver the newest tasks first."""
    with redis.Redis.from_url(cache_url(stack.folder, 0)) as broker:
        queues = [key for key in broker.keys("celery*") if broker.type(key) == b"list"]
        assert queues
        for queue in queues:
            waiting = broker.lrange(queue, 0, -1)
            broker.delete(queue)
            broker.rpush(queue, *reversed(waiting))


def test_a_move_while_the_meeting_is_created_ends_at_the_new_time(stack: Stack, maple: Office) -> None:
    made = microsoft.created(stack)
    stack.control("fault", kind="latency", regex=CREATE, ms=1000, count=1)
    booked = maple.desk.book(maple.hosts[0])
    stack.wait_until(lambda: workers.is_claimed(stack))

    maple.desk.move(booked)

    expect_agreement(stack)
    assert microsoft.created(stack) == made + 1


def test_a_cancel_while_the_meeting_is_created_leaves_no_meeting(stack: Stack, maple: Office) -> None:
    stack.control("fault", kind="latency", regex=CREATE, ms=1000, count=1)
    booked = maple.desk.book(maple.hosts[0])
    stack.wait_until(lambda: workers.is_claimed(stack))

    maple.desk.cancel(booked)

    expect_agreement(stack)


def test_reassigning_while_the_meeting_is_moved_changes_the_co_organizer_and_keeps_the_link(
    stack: Stack, maple: Office
) -> None:
    made = microsoft.created(stack)
    stack.control("fault", kind="latency", regex=MEETING, ms=1000, count=1)
    maple.desk.move(maple.booked[0])
    stack.wait_until(lambda: workers.is_claimed(stack))

    maple.desk.reassign(maple.booked[0], maple.hosts[1])

    expect_agreement(stack)
    assert microsoft.created(stack) == made


def test_reassigning_while_the_meeting_is_moved_replaces_it_if_staff_organize_their_own_meetings(
    stack: Stack, cedar: Office
) -> None:
    made = microsoft.created(stack)
    stack.control("fault", kind="latency", regex=MEETING, ms=1000, count=1)
    cedar.desk.move(cedar.booked[0])
    stack.wait_until(lambda: workers.is_claimed(stack))

    cedar.desk.reassign(cedar.booked[0], cedar.hosts[1])
    cedar.desk.move(cedar.booked[0])

    expect_agreement(stack)
    assert microsoft.created(stack) == made + 1


def test_reassigning_while_the_meeting_is_created_leaves_only_the_new_hosts_meeting(
    stack: Stack, cedar: Office
) -> None:
    stack.control("fault", kind="latency", regex=CREATE, ms=1000, count=1)
    booked = cedar.desk.book(cedar.hosts[0])
    stack.wait_until(lambda: workers.is_claimed(stack))

    cedar.desk.reassign(booked, cedar.hosts[1])

    expect_agreement(stack)


def test_a_meeting_created_while_its_platform_is_disconnected_keeps_its_link(stack: Stack, maple: Office) -> None:
    made = microsoft.created(stack)
    stack.control("fault", kind="latency", regex=CREATE, ms=1000, count=1)
    booked = maple.desk.book(maple.hosts[0])
    meeting = maple.desk.meeting(booked)
    stack.wait_until(lambda: workers.is_claimed(stack))

    maple.desk.disconnect()

    expect_agreement(stack)
    assert stack.sql("SELECT state FROM integrations_meeting WHERE id = %s", meeting) == [("ready",)]
    assert microsoft.created(stack) == made + 1


def test_meetings_that_wait_during_a_disconnect_end_with_a_reason(stack: Stack, maple: Office) -> None:
    stack.control("fault", kind="graph_down")
    booked = maple.desk.book(maple.hosts[0])
    meeting = maple.desk.meeting(booked)
    maple.desk.move(maple.booked[0])
    maple.desk.cancel(maple.booked[1])
    stack.wait_until(lambda: microsoft.asked(stack, CREATE))

    maple.desk.disconnect()
    stack.control("clear-faults")

    expect_agreement(stack)
    assert stack.sql("SELECT state FROM integrations_meeting WHERE id = %s", meeting) == [("failed",)]
