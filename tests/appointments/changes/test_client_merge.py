"""Two clients who are the same person become one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event

import pytest
from django.db import connection, transaction

from appointments.booking_rules.errors import BookingError
from appointments.changes.client_merge import NotMergeable, merge_clients
from appointments.models import Appointment, Client
from appointments.privacy.erasure import erase_client
from appointments.timeline import event_text
from staff.audit_log.models import AuditEvent
from tests.appointments.booking_rules.test_lost_race import at_once
from tests.appointments.conftest import Maple, monday
from tests.appointments.notifications.test_outbox_races import wait_until_a_transaction_is_blocked
from tests.factories import make_appointment, make_client, make_organization

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("friday")]


@pytest.fixture
def twin(maple: Maple) -> Client:
    return make_client(maple.organization, "Cléo Brandt", email="cleo@example.org", phone="+1 416 555 0123")


def test_appointments_move_with_their_links_timeline_and_emails(maple: Maple, twin: Client) -> None:
    booked = maple.book(client=twin, internal_note="brings her own form")
    before = (booked.manage_token, booked.join_token, booked.events.count(), booked.notifications.count())

    moved = merge_clients(maple.cleo, twin, from_other={})

    after = maple.cleo.appointments.get()
    assert moved == 1
    assert (after.pk, after.internal_note) == (booked.pk, "brings her own form")
    assert (after.manage_token, after.join_token, after.events.count() - 1, after.notifications.count()) == before


def test_the_timeline_of_each_moved_appointment_has_the_merge(maple: Maple, twin: Client) -> None:
    kept, moved = maple.book(), maple.book(client=twin, starts_at=monday(14))

    merge_clients(maple.cleo, twin, from_other={})

    assert event_text(moved.events.get(kind="client_merged")) == "The client was merged with another one."
    assert not kept.events.filter(kind="client_merged").exists()


def test_the_chosen_details_are_kept_and_the_others_are_erased(maple: Maple, twin: Client) -> None:
    merge_clients(maple.cleo, twin, from_other={"name": True, "phone": True, "email": False})

    kept = Client.objects.get()
    assert (kept.pk, kept.name, kept.email, kept.phone) == (
        maple.cleo.pk,
        "Cléo Brandt",
        "cleo@example.com",
        "+14165550123",
    )
    merged = Client._base_manager.get(pk=twin.pk)
    assert (merged.name, merged.email, merged.phone, merged.merged_into_id) == ("", "", "", kept.pk)


def test_the_audit_log_names_the_fields_and_no_value(maple: Maple, twin: Client) -> None:
    merge_clients(maple.cleo, twin, from_other={"name": True})

    event = AuditEvent.objects.get(kind="client_merged")
    assert (event.subject_id, event.params) == (maple.cleo.pk, {"merged": twin.pk, "fields": ["name"]})


def test_a_booking_for_a_merged_client_lands_on_the_kept_one(maple: Maple, twin: Client) -> None:
    third = make_client(maple.organization, "C. Brandt")
    merge_clients(maple.cleo, twin, from_other={})
    merge_clients(third, maple.cleo, from_other={})

    assert maple.book(client=twin).client == third


def test_an_erased_client_is_not_merged(maple: Maple, twin: Client) -> None:
    erase_client(twin, actor=None)

    with pytest.raises(NotMergeable, match="erased or merged meanwhile"):
        merge_clients(maple.cleo, twin, from_other={"name": True})
    assert Client.objects.get().name == "Cleo Brandt"


def test_a_client_is_not_merged_with_another_organisations(maple: Maple) -> None:
    foreign = make_client(make_organization("Cedar Bank"), "Cleo Brandt")

    with pytest.raises(NotMergeable):
        merge_clients(maple.cleo, foreign, from_other={})
    assert Client.objects.count() == 2


def test_a_booking_for_a_merged_client_whose_kept_client_was_erased_is_refused(maple: Maple, twin: Client) -> None:
    merge_clients(maple.cleo, twin, from_other={})
    erase_client(maple.cleo, actor=None)

    with pytest.raises(BookingError, match="This client’s data was erased"):
        maple.book(client=twin)


def merge_slowly(maple: Maple, twin: Client, is_merged: Event) -> None:
    """Merge, and commit only when another transaction waits for one of the clients."""
    try:
        with transaction.atomic():
            merge_clients(maple.cleo, twin, from_other={})
            is_merged.set()
            wait_until_a_transaction_is_blocked()
    finally:
        connection.close()


def test_a_booking_that_waits_for_a_merge_lands_on_the_kept_client(maple: Maple, twin: Client) -> None:
    is_merged = Event()

    with ThreadPoolExecutor(1) as colleague:
        merging = colleague.submit(merge_slowly, maple, twin, is_merged)
        is_merged.wait(10)
        booked = maple.book(client=twin)
        merging.result()

    assert booked.client == maple.cleo
    assert Appointment.objects.get().client == maple.cleo


def test_merges_and_bookings_at_once_lose_no_appointment_and_end_in_no_deadlock(maple: Maple, twin: Client) -> None:
    make_appointment(maple.review, maple.sam, twin, monday(9))

    def merge(kept: Client, other: Client) -> str:
        try:
            merge_clients(kept, other, from_other={})
        except NotMergeable:
            return "refused"
        return "merged"

    booking = [
        partial(maple.book, client=client, starts_at=monday(10 + number))
        for number, client in enumerate([maple.cleo, twin] * 2)
    ]
    results = at_once([*booking, partial(merge, maple.cleo, twin), partial(merge, twin, maple.cleo)])

    assert sorted(results[-2:]) == ["merged", "refused"]
    assert Client.objects.get().appointments.count() == 5
