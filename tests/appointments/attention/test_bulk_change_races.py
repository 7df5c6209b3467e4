"""Concurrent bulk changes and bookings, in threads against PostgreSQL."""

from __future__ import annotations

from functools import partial

import pytest
from django.test import Client as Browser
from django.urls import reverse

from appointments.attention.bulk_changes import start_bulk_change
from appointments.attention.bulk_worker import work_on_bulk_change
from appointments.attention.conditions import needing_attention
from appointments.bulk_change_models import BulkAction, BulkChange, BulkChangeItem, ItemOutcome
from appointments.models import Appointment, AppointmentEvent, AppointmentEventKind
from staff.models import StaffMember
from tests.appointments.attention.test_saving import PAGES
from tests.appointments.booking_rules.test_lost_race import at_once
from tests.appointments.conftest import Maple, monday

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("friday")]


def start(maple: Maple, action: BulkAction) -> BulkChange:
    return start_bulk_change(maple.organization, needing_attention(maple.organization), action, started_by=maple.sky)


def test_two_people_who_reassign_the_same_list_move_each_appointment_once(maple: Maple, tess: StaffMember) -> None:
    booked = [maple.book(starts_at=monday(hour)) for hour in range(9, 15)]
    StaffMember.objects.filter(pk=maple.sam.pk).update(is_active=False)

    changes = at_once([partial(start, maple, BulkAction.REASSIGN) for _ in range(2)])
    at_once([partial(work_on_bulk_change, change.pk) for change in changes if isinstance(change, BulkChange)])

    reassigned = AppointmentEvent.objects.filter(kind=AppointmentEventKind.REASSIGNED)
    assert reassigned.count() == Appointment.objects.filter(staff=tess).count() == len(booked)
    assert BulkChangeItem.objects.filter(outcome=ItemOutcome.DONE).count() == len(booked)


def test_two_workers_on_one_bulk_change_cancel_each_appointment_once(maple: Maple) -> None:
    booked = [maple.book(starts_at=monday(hour)) for hour in range(9, 15)]
    StaffMember.objects.filter(pk=maple.sam.pk).update(is_active=False)
    change = start(maple, BulkAction.CANCEL)

    def work_without_lease() -> None:
        BulkChange.objects.filter(pk=change.pk).update(lease_token=None, lease_until=None)
        work_on_bulk_change(change.pk)

    at_once([work_without_lease] * 2)

    cancelled = AppointmentEvent.objects.filter(kind=AppointmentEventKind.CANCELLED)
    assert cancelled.count() == len(booked)


def test_a_booking_that_commits_during_the_deactivation_is_never_orphaned_silently(
    maple: Maple, as_ada: Browser
) -> None:
    page = PAGES["not active"]
    url, fields = reverse("staff-edit", args=[maple.sam.pk]), page.fields(maple)

    at_once([maple.book, partial(as_ada.post, url, fields)])

    is_active = StaffMember.objects.values_list("is_active", flat=True).get(pk=maple.sam.pk)
    # Either the booking came first and the page asked, or Sam was off and the booking was refused.
    assert Appointment.objects.exists() == is_active
