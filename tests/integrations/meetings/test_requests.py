"""Requests for meetings. `test_sync` tests the workers."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from celery import current_app
from django.db import transaction
from django.utils import timezone

from coconut import task_queue
from integrations.hosting.eligibility import Hosting
from integrations.meetings import requests
from integrations.meetings.signals import meeting_changed
from integrations.models import Meeting
from tests.integrations.fake_platform import SERVICE_ACCOUNT
from tests.integrations.meeting_steps import HALF_AN_HOUR, STARTS, ask
from tests.messages import message

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Tasks that reached the broker."""
    tasks: list[tuple[str, ...]] = []

    def send_task(name: str, args: tuple[str, ...], **options: Any) -> None:
        tasks.append((name, *args))

    monkeypatch.setattr(current_app, "send_task", send_task)
    return tasks


@pytest.fixture
def heard() -> Iterator[list[UUID]]:
    """Ids of the meetings that `meeting_changed` was sent for."""
    ids: list[UUID] = []

    def listen(*, meeting_id: UUID, **kwargs: Any) -> None:
        ids.append(meeting_id)

    meeting_changed.connect(listen)
    yield ids
    meeting_changed.disconnect(listen)


def test_a_requested_meeting_is_pending_and_due(hosting: Hosting) -> None:
    meeting = ask(hosting)

    assert (meeting.state, meeting.organizer_id) == ("pending", SERVICE_ACCOUNT)
    assert meeting.attendees == [
        {"remote_id": "oid-of-sam@maple.example", "user_name": "sam@maple.example", "role": "coorganizer"}
    ]
    assert Meeting.objects.due().get() == meeting


def test_the_task_is_sent_after_commit(hosting: Hosting, sent: list[Any]) -> None:
    with transaction.atomic():
        meeting = ask(hosting)
        told_early = list(sent)

    assert told_early == []
    assert sent == [("integrations.sync_meeting", str(meeting.pk))]
    assert meeting.enqueued_at is not None


def test_a_rolled_back_booking_requests_nothing(hosting: Hosting, sent: list[Any]) -> None:
    with transaction.atomic():
        ask(hosting)
        transaction.set_rollback(True)

    assert (sent, Meeting.objects.count()) == ([], 0)


def test_a_host_without_a_connection_is_refused(hosting: Hosting) -> None:
    with pytest.raises(ValueError, match="needs a connection"):
        requests.request_meeting(
            host=hosting.match.staff,  # type: ignore[union-attr]
            hosting=Hosting(hosting.staff_id),
            subject="Mortgage review",
            starts_at=STARTS,
            ends_at=STARTS + HALF_AN_HOUR,
        )


def test_a_long_subject_is_cut(hosting: Hosting) -> None:
    assert len(ask(hosting, subject="x" * 300).subject) == 255


def test_a_move_is_one_update_that_raises_the_version(
    hosting: Hosting, sent: list[Any], heard: list[UUID], django_assert_num_queries: Any
) -> None:
    meeting = ask(hosting)
    sent.clear()
    Meeting.objects.update(due_at=None, enqueued_at=None)

    with transaction.atomic(), django_assert_num_queries(1):
        requests.request_move(meeting.pk, starts_at=STARTS + HALF_AN_HOUR, ends_at=STARTS + 2 * HALF_AN_HOUR)

    meeting.refresh_from_db()
    assert (meeting.starts_at, meeting.ends_at) == (STARTS + HALF_AN_HOUR, STARTS + 2 * HALF_AN_HOUR)
    assert (meeting.version, meeting.due_at) == (2, meeting.enqueued_at)
    assert (len(sent), heard) == (1, [meeting.pk])


def test_a_meeting_is_renamed(hosting: Hosting) -> None:
    meeting = ask(hosting)

    requests.rename(meeting.pk, "Car loan")

    meeting.refresh_from_db()
    assert (meeting.subject, meeting.version) == ("Car loan", 2)


def test_an_unclaimed_meeting_is_cancelled_at_once(hosting: Hosting) -> None:
    meeting = ask(hosting)

    requests.request_cancel(meeting.pk)

    meeting.refresh_from_db()
    assert (meeting.state, meeting.due_at) == ("cancelled", None)


def test_a_claimed_meeting_is_cancelling(hosting: Hosting) -> None:
    meeting = ask(hosting)
    Meeting.objects.update(claimed_at=timezone.now())

    requests.request_cancel(meeting.pk)

    meeting.refresh_from_db()
    assert meeting.state == "cancelling"
    assert Meeting.objects.due().get() == meeting


def test_a_cancelled_meeting_is_neither_moved_nor_renamed(hosting: Hosting) -> None:
    meeting = ask(hosting)
    requests.request_cancel(meeting.pk)

    requests.request_move(meeting.pk, starts_at=STARTS + HALF_AN_HOUR, ends_at=STARTS + 2 * HALF_AN_HOUR)
    requests.rename(meeting.pk, "Car loan")

    meeting.refresh_from_db()
    assert (meeting.starts_at, meeting.subject, meeting.state) == (STARTS, "Mortgage review", "cancelled")


def test_only_failed_meetings_are_tried_again(hosting: Hosting, sent: list[Any], heard: list[UUID]) -> None:
    failed, link_works, waiting = (ask(hosting) for _ in range(3))
    Meeting.objects.exclude(pk=waiting.pk).update(error_kind="person", error=message("No."), due_at=None)
    Meeting.objects.filter(pk=link_works.pk).update(join_url="https://teams.example/meet/1")
    sent.clear()

    tried = requests.try_again(Meeting.objects.all())

    failed.refresh_from_db()
    assert (tried, failed.state, str(failed.error)) == (2, "pending", "")
    assert set(heard) == {failed.pk, link_works.pk}
    assert sent == [("integrations.sweep_meetings",)]
    assert Meeting.objects.due().count() == 3


def test_meetings_that_wait_for_a_connection_resume(hosting: Hosting, sent: list[Any]) -> None:
    later = timezone.now() + timedelta(minutes=10)
    waits, compares_later, failed = (ask(hosting) for _ in range(3))
    Meeting.objects.filter(pk=waits.pk).update(due_at=later, error_kind="outage")
    Meeting.objects.filter(pk=compares_later.pk).update(due_at=later)
    Meeting.objects.filter(pk=failed.pk).update(due_at=None, error_kind="person")
    sent.clear()

    resumed = requests.resume_waiting(waits.connection_id)

    assert (resumed, Meeting.objects.due().get()) == (1, waits)
    assert sent == [("integrations.sweep_meetings",)]


@contextmanager
def broker_at(port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Point Celery to a broker on another port of this machine."""
    monkeypatch.setattr(current_app.conf, "broker_url", f"redis://127.0.0.1:{port}/0")
    monkeypatch.setattr(current_app.conf, "broker_write_url", f"redis://127.0.0.1:{port}/0")
    task_queue._producers.cache_clear()
    yield
    task_queue._producers.cache_clear()


@pytest.mark.parametrize("broker", ["refuses", "accepts and never answers", "does not even accept"])
def test_a_broker_that_is_down_costs_a_second_at_most(
    hosting: Hosting, broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(socket.socket()) as server:
        server.bind(("127.0.0.1", 0))
        knocking = []
        if broker != "refuses":
            server.listen(0 if broker == "does not even accept" else 10)
        if broker == "does not even accept":
            knocking = [_knock(server) for _ in range(4)]

        with broker_at(server.getsockname()[1], monkeypatch):
            started = time.monotonic()
            meeting = ask(hosting)
            took = time.monotonic() - started

        for knock in knocking:
            knock.close()
    meeting.refresh_from_db()
    assert took < 1.7
    # The task never arrived, so the sweep doesn't wait for it.
    assert (meeting.state, meeting.enqueued_at) == ("pending", None)


def _knock(server: socket.socket) -> socket.socket:
    """Fill the server's backlog of connections."""
    client = socket.socket()
    client.setblocking(False)
    client.connect_ex(server.getsockname())
    return client
