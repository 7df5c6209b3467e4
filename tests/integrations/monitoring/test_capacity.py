"""Capacity of organizers: the count in each window, and the warnings to admins.

The fake platform publishes ten meetings a month.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.db import connection as database
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from integrations.models import Connection, ConnectionEvent, ConnectionStatus, Meeting, OrganizerUsage
from integrations.monitoring import capacity, capacity_report
from integrations.monitoring.capacity import count_organizers
from integrations.monitoring.capacity_report import largest_usage, notice_of, window_start
from integrations.platforms.values import CapacityWindow
from tests.factories import make_connection, make_match, make_member
from tests.outbox import email_server_down, retry_all, send_all

pytestmark = pytest.mark.usefixtures("ada", "fake_teams")

MONTH = datetime(2099, 11, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def november(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity_report, "window_start", lambda window: MONTH.date())


def ask(connection: Connection, how_many: int, organizer_id: str = "the-account", at: datetime | None = MONTH) -> None:
    """Create `how_many` meetings that were claimed at `at`."""
    host = connection.organization.staff.first()
    assert host is not None
    Meeting.objects.bulk_create(
        Meeting(
            organization=connection.organization,
            connection=connection,
            host=host,
            organizer_id=organizer_id,
            subject="Mortgage review",
            starts_at=MONTH + timedelta(days=60),
            ends_at=MONTH + timedelta(days=60, hours=1),
            claimed_at=at,
        )
        for _ in range(how_many)
    )


def counted() -> list[tuple[str, int]]:
    return list(OrganizerUsage.objects.values_list("organizer_id", "meetings"))


def test_meetings_are_counted_by_their_organizer(connection):
    ask(connection, 9)
    ask(connection, 8, "sam-id")

    count_organizers()

    assert counted() == [("the-account", 9), ("sam-id", 8)]


def test_a_month_begins_at_midnight(connection):
    ask(connection, 1, at=MONTH)
    ask(connection, 1, at=MONTH - timedelta(microseconds=1))
    ask(connection, 1, at=None)

    count_organizers()

    assert counted() == [("the-account", 1)]


def test_months_are_counted_in_utc(monkeypatch):
    monkeypatch.undo()
    moment = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
    monkeypatch.setattr(timezone, "now", lambda: moment)

    with timezone.override("Asia/Tokyo"):
        assert window_start(CapacityWindow.MONTH) == moment.date().replace(day=1)


def test_far_from_the_limit_only_the_organizer_with_the_most_meetings_is_stored(connection):
    ask(connection, 3)
    ask(connection, 2, "sam-id")

    count_organizers()

    assert counted() == [("the-account", 3)]


def test_of_several_level_organizers_one_is_stored(connection):
    for number in range(3):
        ask(connection, 1, f"person-{number}")

    assert count_organizers() == 1


def test_another_count_updates_the_stored_number(connection):
    ask(connection, 3)
    count_organizers()
    ask(connection, 2)

    count_organizers()

    assert counted() == [("the-account", 5)]


def test_connections_are_counted_separately(connection, maple):
    other = make_connection(maple, "another", is_default=False)
    ask(connection, 7)
    ask(other, 6)

    count_organizers()

    assert sorted(counted()) == [("the-account", 6), ("the-account", 7)]
    send_all()
    assert mail.outbox == []


def test_an_unexpected_error_on_one_connection_does_not_stop_the_count(connection, maple, monkeypatch):
    other = make_connection(maple, "another", is_default=False)
    ask(connection, 7)
    ask(other, 6)
    notify = capacity._notify_at_thresholds

    def notify_or_break(each, start):
        if each.pk == min(connection.pk, other.pk):
            raise ValueError
        notify(each, start)

    monkeypatch.setattr(capacity, "_notify_at_thresholds", notify_or_break)

    count_organizers()

    assert len(counted()) == 2


def test_one_query_counts_all_organizers(connection, maple):
    ask(connection, 3)
    ask(make_connection(maple, "another", is_default=False), 3)

    with CaptureQueriesContext(database) as queries:
        count_organizers()

    assert sum('COUNT("integrations_meeting"' in query["sql"] for query in queries) == 1


def test_a_platform_without_a_published_limit_is_not_counted(connection, fake_teams):
    fake_teams.capacity = None
    ask(connection, 50)

    count_organizers()

    assert counted() == []
    assert (notice_of(connection), largest_usage(connection)) == (None, None)


def test_a_disconnected_connection_is_not_counted(connection):
    ask(connection, 9)
    Connection.objects.update(status=ConnectionStatus.DISCONNECTED, is_default=False)

    assert count_organizers() == 0


# --- Who hears of it --------------------------------------------------------------------------------
def count_and_send():
    count_organizers()
    send_all()


@pytest.mark.parametrize(("meetings", "letters"), [(7, 0), (8, 1), (10, 1), (12, 1)])
def test_admins_get_an_email_at_eighty_per_cent(connection, meetings, letters):
    ask(connection, meetings)

    count_and_send()

    assert len(mail.outbox) == letters


def test_the_email_says_how_much_is_used_and_what_to_do(connection, ada):
    ask(connection, 8)

    count_and_send()

    (letter,) = mail.outbox
    assert (letter.to, letter.subject) == (
        [ada.email],
        "Microsoft Teams: 80 % of a month's meetings are used",
    )
    assert letter.body.startswith(
        "Coconut has made, changed or read 8 meetings of Coconut Meetings in November 2099: 80 % of the 10 that "
        "Microsoft Teams publishes as the most for one organizer in a month. Beyond that new links may be refused "
        "until the month is over.\n\n"
        "Use more organizers.\n\n"
    )


def test_each_threshold_sends_one_email_a_month(connection):
    for more in (8, 1, 1, 1):
        ask(connection, more)
        count_and_send()

    assert [letter.subject.split()[2] for letter in mail.outbox] == ["80", "100"]
    assert ConnectionEvent.objects.filter(connection=connection).count() == 2


def test_a_new_month_sends_new_emails(connection, monkeypatch):
    ask(connection, 8)
    count_and_send()
    december = datetime(2099, 12, 1, tzinfo=UTC)
    monkeypatch.setattr(capacity_report, "window_start", lambda window: december.date())
    ask(connection, 8, at=december)

    count_and_send()

    assert len(mail.outbox) == 2


def test_organizers_who_reach_a_threshold_together_share_an_email(connection, fake_teams):
    fake_teams.needs_permission_probe = True
    for name in ("Sam Okafor", "Nina Park"):
        match = make_match(connection, make_member(connection.organization, name))
        ask(connection, 8, match.remote_id)

    count_and_send()

    (letter,) = mail.outbox
    told = ["meetings of Sam Okafor in" in letter.body, "meetings of Nina Park in" in letter.body]
    assert told == [True, True]


def test_an_email_server_that_is_down_only_delays_the_email(connection, ada):
    ask(connection, 8)

    with email_server_down():
        count_and_send()
    sent_meanwhile = list(mail.outbox)
    retry_all()

    assert notice_of(connection) is not None
    assert sent_meanwhile == []
    assert [message.to for message in mail.outbox] == [[ada.email]]


# --- What the pages say -----------------------------------------------------------------------------
def page(browser: Browser, name: str, connection: Connection) -> str:
    return browser.get(reverse(name, args=[connection.pk])).content.decode()


def test_the_dashboard_warns_with_the_number_the_month_and_the_remedy(browser, connection):
    ask(connection, 8)
    count_organizers()

    html = page(browser, "connection", connection)

    assert "8 meetings of Coconut Meetings in November 2099: 80 % of the 10" in html
    assert "<p>Use more organizers.</p>" in html


def test_the_dashboard_shows_nothing_below_the_threshold(browser, connection):
    ask(connection, 7)
    count_organizers()

    assert "made, changed or read" not in page(browser, "connection", connection)


def test_the_notice_counts_other_organizers_near_the_limit(connection):
    for number in range(3):
        ask(connection, 8, f"person-{number}")
    count_organizers()

    notice = notice_of(connection)

    assert notice is not None
    assert notice.others_sentence == "2 other organizers are near it, too."


def test_health_and_history_shows_the_count_below_the_threshold(browser, connection):
    ask(connection, 3)
    count_organizers()

    assert "<dt>Meetings in November 2099</dt><dd>3 of 10 (Coconut Meetings)</dd>" in page(
        browser, "connection-health", connection
    )


def test_the_notice_costs_the_dashboard_one_query(connection, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert notice_of(connection) is None
