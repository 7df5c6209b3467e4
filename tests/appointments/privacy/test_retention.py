"""Retention: clients are erased some months after their last appointment."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine
from django.db import DatabaseError, IntegrityError, transaction

from appointments.models import Appointment, Client, Status
from appointments.privacy import erasure, retention
from appointments.privacy.retention import erase_expired_clients, expired_clients
from staff.models import Organization
from tests.appointments.conftest import Maple
from tests.factories import make_appointment, make_client, make_organization

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(NOW, tick=False):
        yield


def add_client(maple: Maple, name: str, created_at: datetime = datetime(2020, 1, 1, tzinfo=UTC)) -> Client:
    client = make_client(maple.organization, name)
    Client.objects.filter(pk=client.pk).update(created_at=created_at)
    return client


def had_appointment(maple: Maple, client: Client, at: datetime, **fields: object) -> Appointment:
    return make_appointment(maple.review, maple.sam, client, at, **fields)


def keep_for(organization: Organization, months: int | None) -> None:
    organization.retention_months = months
    organization.save()


def names(maple: Maple, months: int) -> list[str]:
    return sorted(expired_clients(maple.organization, months).values_list("name", flat=True))


@pytest.mark.parametrize(
    ("last", "is_expired"),
    [
        (datetime(2025, 11, 27, 11, 59, tzinfo=UTC), True),
        (datetime(2025, 11, 27, 12, 1, tzinfo=UTC), False),
        (datetime(2026, 12, 1, 9, tzinfo=UTC), False),
    ],
)
def test_a_client_expires_when_the_last_appointment_is_so_many_months_ago(
    maple: Maple, last: datetime, is_expired: bool
) -> None:
    client = add_client(maple, "Dora Winter")
    had_appointment(maple, client, datetime(2021, 3, 1, 9, tzinfo=UTC))
    had_appointment(maple, client, last)

    assert names(maple, 12) == (["Dora Winter"] if is_expired else [])


def test_a_cancelled_appointment_counts_as_the_last_one(maple: Maple) -> None:
    client = add_client(maple, "Dora Winter")
    had_appointment(maple, client, datetime(2026, 10, 1, 9, tzinfo=UTC), status=Status.CANCELLED)

    assert names(maple, 12) == []


def test_a_client_without_appointments_counts_from_the_day_they_were_added(maple: Maple) -> None:
    add_client(maple, "Old", datetime(2025, 11, 26, tzinfo=UTC))
    add_client(maple, "New", datetime(2025, 11, 28, tzinfo=UTC))

    assert names(maple, 12) == ["Old"]


def test_another_organisations_clients_do_not_count(maple: Maple) -> None:
    add_client(maple, "Old")

    assert not expired_clients(make_organization("Cedar Bank"), 12).exists()


def test_expired_clients_are_erased_and_the_others_stay(maple: Maple) -> None:
    old = had_appointment(maple, add_client(maple, "Old"), datetime(2024, 1, 8, 9, tzinfo=UTC))
    keep_for(maple.organization, 12)

    assert erase_expired_clients() == 1

    old.client.refresh_from_db()
    assert old.client.name == ""
    assert list(Client.objects.values_list("name", flat=True)) == ["Cleo Brandt"]


def test_without_a_retention_period_clients_are_kept(maple: Maple) -> None:
    add_client(maple, "Old")

    assert erase_expired_clients() == 0


def test_a_second_run_erases_no_client_again(maple: Maple) -> None:
    add_client(maple, "Old")
    keep_for(maple.organization, 12)
    erase_expired_clients()

    assert erase_expired_clients() == 0


def test_each_client_is_tried_once_however_many_there_are(maple: Maple, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH_SIZE", 2)
    for number in range(5):
        add_client(maple, f"Old {number}")
    keep_for(maple.organization, 12)

    assert erase_expired_clients() == 5


def test_a_client_that_cannot_be_erased_does_not_stop_the_others(maple: Maple, monkeypatch: pytest.MonkeyPatch) -> None:
    broken, other = add_client(maple, "Broken"), add_client(maple, "Other")
    keep_for(maple.organization, 12)
    erase_rows = erasure._erase_rows

    def fail_once(client: Client) -> None:
        if client == broken:
            raise DatabaseError("a broken row")
        erase_rows(client)

    monkeypatch.setattr(erasure, "_erase_rows", fail_once)

    assert erase_expired_clients() == 1
    assert not Client.objects.filter(pk=other.pk).exists()
    assert Client.objects.filter(pk=broken.pk).exists()


def test_a_run_that_ends_early_keeps_what_it_erased(maple: Maple, monkeypatch: pytest.MonkeyPatch) -> None:
    """A killed worker ends as this run does: between two clients or in the middle of one."""
    first, second = add_client(maple, "First"), add_client(maple, "Second")
    keep_for(maple.organization, 12)
    erase_rows = erasure._erase_rows

    def die_in_the_middle(client: Client) -> None:
        erase_rows(client)
        if client == second:
            raise SystemExit

    monkeypatch.setattr(erasure, "_erase_rows", die_in_the_middle)

    with pytest.raises(SystemExit):
        erase_expired_clients()
    half = list(Client.objects.exclude(pk=maple.cleo.pk).values_list("name", flat=True))
    monkeypatch.undo()

    assert (half, erase_expired_clients()) == (["Second"], 1)
    assert not Client.objects.filter(pk=first.pk).exists()


def test_a_client_booked_meanwhile_is_kept(maple: Maple, monkeypatch: pytest.MonkeyPatch) -> None:
    client = add_client(maple, "Old")
    keep_for(maple.organization, 12)
    found = retention._expired_in_batches

    def book_after_the_query(organization: Organization) -> Iterator[Client]:
        for expired in list(found(organization)):
            had_appointment(maple, client, datetime(2026, 12, 1, 9, tzinfo=UTC))
            yield expired

    monkeypatch.setattr(retention, "_expired_in_batches", book_after_the_query)

    assert erase_expired_clients() == 0
    assert Client.objects.filter(pk=client.pk).exists()


@pytest.mark.parametrize("months", [0, 601])
def test_the_database_refuses_a_period_that_makes_no_sense(maple: Maple, months: int) -> None:
    with pytest.raises(IntegrityError, match="retention_is_1_to_600_months"), transaction.atomic():
        keep_for(maple.organization, months)
