"""Connecting, connecting again, reauthorizing, and requiring reauthorization."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from django.core import mail
from django.db import connection as database
from django.db import transaction
from django.utils import timezone, translation
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks, Settings

from integrations.circuit_breaker import pause, record_success
from integrations.connections import lifecycle
from integrations.connections.lifecycle import (
    AlreadyConnected,
    add_connection,
    mark_reauthorized,
    require_reauthorization,
    revive_connection,
)
from integrations.event_text import event_text
from integrations.models import (
    Connection,
    ConnectionStatus,
    Meeting,
    RematchRun,
    RematchTrigger,
)
from integrations.platforms.failures import ErrorKind
from integrations.teams.models import TeamsConnection
from staff.models import Organization, Role, StaffMember
from tests.factories import make_connection, make_match, make_member, make_organization, make_staff
from tests.integrations.fake_platform import FakePlatform
from tests.messages import message
from tests.outbox import email_server_down, retry_all, send_all

pytestmark = pytest.mark.django_db


def add(organization: Organization, actor: StaffMember | None = None) -> Connection:
    with transaction.atomic():
        return add_connection(organization, platform="teams", name="Microsoft Teams", match_field="email", actor=actor)


def at_once(how_many: int, work: Callable[[], object]) -> None:
    """Run `work` in several threads that start at the same time."""
    together = Barrier(how_many)

    def run() -> None:
        together.wait()
        work()
        database.close()

    threads = [Thread(target=run) for _ in range(how_many)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# --- Connect --------------------------------------------------------------------------------------
def test_the_first_connection_becomes_the_default() -> None:
    maple = make_organization()
    ada = make_member(maple, "Ada Moreau", Role.ADMIN)

    connection = add(maple, ada)

    event = connection.events.get()
    assert (connection.is_default, connection.connected_by) == (True, ada)
    assert (event.kind, event.actor) == ("connected", ada)
    assert event_text(event) == "Microsoft Teams was connected and is the organisation's default."


def test_a_second_connection_has_another_name_and_is_not_the_default() -> None:
    maple = make_organization()

    names = [(each.name, each.is_default) for each in (add(maple), add(maple), add(maple))]

    assert names == [
        ("Microsoft Teams", True),
        ("Microsoft Teams 2", False),
        ("Microsoft Teams 3", False),
    ]


def test_another_organisations_connections_take_no_names() -> None:
    add(make_organization())

    assert add(make_organization("Cedar Bank")).name == "Microsoft Teams"


def test_a_new_connection_starts_its_first_match_after_commit(
    sent_tasks: list[tuple[object, ...]], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    maple = make_organization()
    make_staff(maple, 2)

    with django_capture_on_commit_callbacks(execute=True):
        connection = add(maple)

    run = RematchRun.objects.get()
    assert (run.connection, run.trigger, run.total) == (connection, RematchTrigger.CONNECTED, 2)
    assert sent_tasks == [("integrations.work_on_rematch_run", run.pk)]


@pytest.mark.django_db(transaction=True)
def test_admins_who_connect_at_once_make_one_default_with_unique_names() -> None:
    maple = make_organization()

    at_once(4, lambda: add(maple))

    lifecycle = Connection.objects.values_list("name", "is_default")
    assert [name for name, is_default in lifecycle if is_default] == ["Microsoft Teams"]
    assert sorted(name for name, _ in lifecycle) == [
        "Microsoft Teams",
        "Microsoft Teams 2",
        "Microsoft Teams 3",
        "Microsoft Teams 4",
    ]


def test_a_disconnected_connection_is_connected_again_with_its_matches() -> None:
    maple = make_organization()
    connection = make_connection(
        maple, status=ConnectionStatus.DISCONNECTED, status_reason=message("Gone."), is_default=False
    )
    match = make_match(connection, make_member(maple))

    revive_connection(connection, match_field="username", actor=None)

    connection.refresh_from_db()
    assert (connection.status, str(connection.status_reason)) == (ConnectionStatus.CONNECTED, "")
    assert (connection.is_default, connection.match_field) == (True, "username")
    assert (connection.matches.get(), RematchRun.objects.count()) == (match, 1)


def test_a_revived_connection_does_not_take_the_default_from_another() -> None:
    maple = make_organization()
    default = make_connection(maple)
    old = make_connection(maple, "old account", status=ConnectionStatus.DISCONNECTED, is_default=False)

    revive_connection(old, match_field="email", actor=None)

    assert Connection.objects.get(is_default=True) == default


@pytest.mark.parametrize("status", [ConnectionStatus.CONNECTED, ConnectionStatus.NEEDS_REAUTHORIZATION])
def test_a_live_connection_cannot_be_revived(status: str) -> None:
    connection = make_connection(make_organization(), status=status)

    with pytest.raises(AlreadyConnected, match=r"^Already connected. Use Reauthorize.$"):
        revive_connection(connection, match_field="email", actor=None)


# --- Require reauthorization ----------------------------------------------------------------------
def refuse(connection: Connection) -> bool:
    return require_reauthorization(Connection.objects.filter(pk=connection.pk), message("The sign-in was revoked."))


def test_a_refused_sign_in_is_recorded_once() -> None:
    connection = make_connection(make_organization())

    changed = [refuse(connection), refuse(connection)]

    connection.refresh_from_db()
    event = connection.events.get()
    assert changed == [True, False]
    assert (connection.status, str(connection.status_reason)) == (
        ConnectionStatus.NEEDS_REAUTHORIZATION,
        "The sign-in was revoked.",
    )
    assert (event.kind, event_text(event)) == ("token_refused", "The sign-in was revoked.")


def test_a_disconnected_connection_stays_disconnected() -> None:
    connection = make_connection(make_organization(), status=ConnectionStatus.DISCONNECTED, is_default=False)

    assert not refuse(connection)


def test_the_admins_get_one_email_with_a_link(
    settings: Settings,
) -> None:
    settings.BASE_URL = "https://coconut.example"
    maple = make_organization()
    connection = make_connection(maple)
    for name in ("Ada Moreau", "Abe Stone"):
        make_member(maple, name, Role.ADMIN)
    make_member(maple, "Ann Left", Role.ADMIN, is_active=False)
    make_member(maple, "Sky Ito", Role.SCHEDULER)
    make_member(make_organization("Cedar Bank"), "Otto Brandt", Role.ADMIN)

    refuse(connection)
    refuse(connection)
    send_all()

    (message,) = mail.outbox
    assert sorted(message.to) == ["abe@maple.example", "ada@maple.example"]
    assert message.subject == "Microsoft Teams needs to be reauthorized"
    assert message.body == (
        "Microsoft Teams no longer lets Coconut create links for video appointments.\n\n"
        "The sign-in was revoked.\n\n"
        "Appointments can still be booked, and those that have a link keep it. New links follow as soon as an admin "
        "opens the page below and clicks Actions, then Reauthorize:\n\n"
        f"https://coconut.example/settings/video-calls/{connection.pk}/\n"
    )


def test_the_email_is_in_the_organizations_language(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    maple = make_organization()
    maple.language = "de"
    maple.save()
    make_member(maple, "Ada Moreau", Role.ADMIN)
    connection = make_connection(maple)
    monkeypatch.setattr(lifecycle, "_", lambda text: f"{translation.get_language()}: {text}")

    refuse(connection)
    send_all()

    (message,) = mail.outbox
    assert (message.subject[:4], message.body[:4]) == ("de: ", "de: ")


def test_an_email_server_that_is_down_only_delays_the_email() -> None:
    maple = make_organization()
    connection = make_connection(maple)
    make_member(maple, "Ada Moreau", Role.ADMIN)

    changed = refuse(connection)
    with email_server_down():
        send_all()
    sent_meanwhile = len(mail.outbox)
    retry_all()

    assert changed
    assert sent_meanwhile == 0
    assert [message.to for message in mail.outbox] == [["ada@maple.example"]]


def test_a_new_sign_in_drops_the_email() -> None:
    maple = make_organization()
    connection = make_connection(maple)
    make_member(maple, "Ada Moreau", Role.ADMIN)
    refuse(connection)
    with transaction.atomic():
        mark_reauthorized(connection, None)

    send_all()

    assert mail.outbox == []


def test_a_refusal_that_was_overtaken_by_a_new_sign_in_changes_nothing() -> None:
    connection = make_connection(make_organization())
    refused = Connection.objects.filter(pk=connection.pk, teams__token_version=1)
    TeamsConnection.objects.update(token_version=2)

    assert not require_reauthorization(refused, message("The sign-in was revoked."))


@pytest.mark.django_db(transaction=True)
def test_a_refusal_that_waited_for_a_new_sign_in_changes_nothing() -> None:
    connection = make_connection(make_organization())
    refused = Connection.objects.filter(pk=connection.pk, teams__token_version=1)
    changed: list[bool] = []

    def refuse_in_a_thread() -> None:
        changed.append(require_reauthorization(refused, message("The sign-in was revoked.")))
        database.close()

    refusing = Thread(target=refuse_in_a_thread)
    with transaction.atomic():
        TeamsConnection.objects.update(token_version=2)
        Connection.objects.update(status=ConnectionStatus.CONNECTED)
        refusing.start()
        refusing.join(timeout=0.5)
        was_waiting = refusing.is_alive()
    refusing.join()

    connection.refresh_from_db()
    assert (was_waiting, changed, connection.status) == (True, [False], ConnectionStatus.CONNECTED)


# --- Pauses and successes -------------------------------------------------------------------------
def test_a_pause_that_ends_later_stays() -> None:
    connection = make_connection(make_organization())

    pause(connection.pk, 600)
    pause(connection.pk, 5)

    connection.refresh_from_db()
    assert connection.paused_until is not None
    assert 590 < (connection.paused_until - timezone.now()).total_seconds() <= 600


def test_a_success_is_written_once_a_minute(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    connection = make_connection(make_organization())
    record_success(connection.pk)
    connection.refresh_from_db()
    first = connection.last_success_at

    with django_assert_num_queries(1):
        record_success(connection.pk)

    connection.refresh_from_db()
    assert first is not None
    assert connection.last_success_at == first


def test_a_success_does_not_end_a_running_pause() -> None:
    connection = make_connection(make_organization())
    pause(connection.pk, 600)

    record_success(connection.pk)

    connection.refresh_from_db()
    assert connection.paused_until is not None


@pytest.mark.parametrize(
    "before",
    [
        {"last_success_at": None},
        {"last_success_at": timezone.now() - timedelta(hours=1)},
        {"last_success_at": timezone.now(), "paused_until": timezone.now() - timedelta(seconds=1)},
    ],
)
def test_the_first_success_after_trouble_makes_waiting_meetings_due(
    fake_teams: FakePlatform, before: dict[str, Any]
) -> None:
    maple = make_organization()
    connection = make_connection(maple, **before)
    later = timezone.now() + timedelta(hours=1)
    run = RematchRun.objects.create(connection=connection, trigger=RematchTrigger.ADMIN, attempts=3, due_at=later)
    meeting = Meeting.objects.create(
        organization=maple,
        connection=connection,
        host=make_member(maple),
        organizer_id="oid",
        subject="Mortgage review",
        starts_at=later,
        ends_at=later + timedelta(hours=1),
        due_at=later,
        error_kind=ErrorKind.OUTAGE,
    )

    record_success(connection.pk)

    run.refresh_from_db()
    meeting.refresh_from_db()
    assert meeting.due_at is not None
    assert max(run.due_at, meeting.due_at) <= timezone.now()
