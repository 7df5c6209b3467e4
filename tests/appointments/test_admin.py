"""Emails in Django admin."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from appointments.models import Appointment, BookedThrough, Notification, NotificationKind
from services.models import MeetingMethod
from staff.models import OutboxEmail
from tests.factories import make_client, make_member, make_operator, make_organization, make_service

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(client: Browser) -> Browser:
    client.force_login(make_operator())
    return client


def make_notification(name: str = "Sam Okafor") -> Notification:
    maple = make_organization(f"House of {name}", slug=name.split()[0].lower())
    now = timezone.now()
    appointment = Appointment.objects.create(
        organization=maple,
        service=make_service(maple),
        staff=make_member(maple, name),
        client=make_client(maple),
        starts_at=now,
        ends_at=now + timedelta(hours=1),
        busy_from=now,
        busy_to=now + timedelta(hours=1),
        method=MeetingMethod.PHONE,
        booked_through=BookedThrough.SCHEDULE,
    )
    email = OutboxEmail.objects.create(kind="appointment", to=["cleo@example.com"], organization=maple)
    return Notification.objects.create(appointment=appointment, kind=NotificationKind.BOOKED, email=email)


def test_an_email_is_shown_without_its_secret_link(operator: Browser) -> None:
    notification = make_notification()

    text = operator.get(reverse("admin:appointments_notification_change", args=[notification.pk])).content.decode()

    assert "cleo@example.com" in text
    assert notification.appointment.manage_token not in text
    assert notification.appointment.join_token not in text


def test_operators_cannot_change_emails(operator: Browser) -> None:
    notification = make_notification()

    answer = operator.post(
        reverse("admin:appointments_notification_change", args=[notification.pk]), {"state": "waiting"}
    )

    assert answer.status_code == 403


@pytest.mark.parametrize("how_many", [1, 3])
def test_the_list_of_emails_takes_the_same_number_of_queries(
    operator: Browser, how_many: int, django_assert_num_queries
) -> None:
    for number in range(how_many):
        make_notification(f"Person{number} Example")

    # Session, operator, count, page.
    with django_assert_num_queries(5):
        operator.get(reverse("admin:appointments_notification_changelist"))
