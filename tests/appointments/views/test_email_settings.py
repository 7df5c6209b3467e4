"""Settings > Emails: reminders, and which emails are sent."""

from __future__ import annotations

import pytest
from django.core import mail
from django.test import Client as Browser

from appointments.email_settings_models import EmailSettings, OwnReminders, ReminderRule
from appointments.models import Appointment, Client
from appointments.notifications.switches import DEFAULTS, LISTED_KINDS, switch_name, switches_of
from coconut.rate_limits import Limit
from services.models import Service
from staff.audit_log.models import AuditEvent
from staff.models import Role, StaffMember
from tests.appointments.conftest import Maple, monday
from tests.appointments.mailbox import move
from tests.factories import make_appointment, make_organization, make_service
from tests.outbox import send_all

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("friday")]

PAGE = "/settings/emails/"


def form(reminders: list[int] | None = None, **switches: bool) -> dict[str, object]:
    """Return the form with the defaults and `switches`, as a browser sends it."""
    values = {switch_name(*each): is_on for each, is_on in DEFAULTS.items()} | switches
    return {"reminders": reminders or [], **{name: "on" for name, is_on in values.items() if is_on}}


def minutes(maple: Maple) -> list[int]:
    return sorted(ReminderRule.objects.filter(organization=maple.organization).values_list("minutes", flat=True))


def service_page(maple: Maple) -> str:
    return f"{PAGE}services/{maple.review.pk}/"


def test_an_admin_chooses_several_reminders(maple: Maple, as_ada: Browser) -> None:
    as_ada.post(PAGE, form([1440, 120]))

    assert minutes(maple) == [120, 1440]
    assert as_ada.get(PAGE).content.decode().count("checked") == 2 + sum(DEFAULTS.values())


def test_a_reminder_that_stays_keeps_its_place(maple: Maple, as_ada: Browser) -> None:
    as_ada.post(PAGE, form([1440, 120]))
    kept = ReminderRule.objects.get(minutes=120).pk
    as_ada.post(PAGE, form([120, 60]))

    assert minutes(maple) == [60, 120]
    assert ReminderRule.objects.get(minutes=120).pk == kept


@pytest.mark.parametrize("wrong", ["7", "-1", "soon", "99999999999999999999"])
def test_a_time_that_is_not_offered_changes_nothing(maple: Maple, as_ada: Browser, wrong: str) -> None:
    page = as_ada.post(PAGE, form([1440]) | {"reminders": ["1440", wrong]})

    assert "Choose times from the list." in page.content.decode()
    assert minutes(maple) == []


def test_an_email_that_is_switched_off_is_not_sent(maple: Maple, as_ada: Browser) -> None:
    as_ada.post(PAGE, form(booked_staff=False))
    maple.book()
    send_all()

    assert [message.to for message in mail.outbox] == [[maple.cleo.email]]


def test_the_clients_confirmation_and_move_cannot_be_switched_off(maple: Maple, as_ada: Browser) -> None:
    EmailSettings.objects.create(
        organization=maple.organization, switches={"booked_client": False, "moved_client": False}
    )
    move_of = maple.book()
    send_all()
    move(move_of)
    send_all()

    assert len([message for message in mail.outbox if message.to == [maple.cleo.email]]) == 2


def test_a_change_joins_an_unsent_confirmation_even_if_its_kind_is_off(maple: Maple, as_ada: Browser) -> None:
    as_ada.post(PAGE, form(moved_staff=False))
    booked = maple.book()
    move(booked)
    send_all()

    assert [message for message in mail.outbox if message.to == [maple.sam.email]]


def test_the_settings_are_recorded_in_the_audit_log(maple: Maple, as_ada: Browser) -> None:
    as_ada.post(PAGE, form([120], reminder_staff=True))

    assert "Reminders: none → 120 minutes before; Reminder (Staff member): on" in (
        as_ada.get("/settings/audit-log/").content.decode()
    )


def test_saving_without_a_change_records_nothing(maple: Maple, as_ada: Browser) -> None:
    as_ada.post(PAGE, form([120]))
    as_ada.post(PAGE, form([120]))

    assert AuditEvent.objects.filter(kind="email_settings_changed").count() == 1


def test_a_service_gets_reminders_of_its_own_and_gives_them_back(maple: Maple, as_ada: Browser) -> None:
    as_ada.post(service_page(maple), {"has_own": "on", "reminders": [60]})
    assert OwnReminders.objects.filter(service=maple.review).exists()
    assert ReminderRule.objects.get(service=maple.review).minutes == 60

    as_ada.post(service_page(maple), {"reminders": [60]})
    assert not OwnReminders.objects.exists()
    assert not ReminderRule.objects.exists()


def test_a_service_of_another_organisation_is_not_found(maple: Maple, as_ada: Browser) -> None:
    other = make_service(make_organization("Birch"))

    assert as_ada.post(f"{PAGE}services/{other.pk}/", {"has_own": "on"}).status_code == 404
    assert not OwnReminders.objects.exists()


def test_settings_of_one_organisation_leave_the_others_alone(maple: Maple, as_ada: Browser) -> None:
    as_ada.post(PAGE, form(booked_staff=False))

    assert switches_of(make_organization("Birch").pk).is_on("booked", "staff")


@pytest.mark.parametrize(("kind", "audience"), [(kind, who) for kind in LISTED_KINDS for who in ("client", "staff")])
def test_an_admin_gets_a_test_of_each_email_and_nothing_stays(
    maple: Maple, as_ada: Browser, kind: str, audience: str
) -> None:
    as_ada.post(f"{PAGE}test/", {"email": switch_name(kind, audience)})
    send_all()

    [message] = mail.outbox
    assert message.to == ["ada@maple.example"]
    assert message.subject.startswith("Test: ")
    assert message.attachments == []
    assert not Appointment.objects.exists()
    assert not Client.objects.filter(name="Alex Example").exists()


def test_a_test_shows_what_changed(maple: Maple, as_ada: Browser) -> None:
    make_appointment(maple.review, StaffMember.objects.get(email="ada@maple.example"), maple.cleo, monday(10))
    as_ada.post(f"{PAGE}test/", {"email": "moved_client"})
    send_all()

    [message] = mail.outbox
    assert "Alex Example" in message.body
    assert "before: Thursday, 3 December 2026" in message.body


def test_an_organisation_without_services_and_locations_gets_a_test_too(maple: Maple, as_ada: Browser) -> None:
    Service.objects.all().delete()
    as_ada.post(f"{PAGE}test/", {"email": "booked_client"})
    send_all()

    [message] = mail.outbox
    assert "Consultation" in message.body
    assert not Service.objects.exists()


def test_a_test_of_an_unknown_email_sends_nothing(maple: Maple, as_ada: Browser) -> None:
    page = as_ada.post(f"{PAGE}test/", {"email": "everything"})

    assert "Choose an email from the list." in page.content.decode()
    send_all()
    assert mail.outbox == []


def test_a_former_admin_gets_no_test(maple: Maple, as_ada: Browser) -> None:
    as_ada.post(f"{PAGE}test/", {"email": "booked_client"})
    StaffMember.objects.filter(email="ada@maple.example").update(role=Role.STAFF)
    send_all()

    assert mail.outbox == []


def test_test_emails_are_limited(maple: Maple, as_ada: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appointments.views.email_settings._TEST_EMAILS", Limit("test-of-tests", 1, 3600))
    as_ada.post(f"{PAGE}test/", {"email": "booked_client"})
    page = as_ada.post(f"{PAGE}test/", {"email": "booked_client"})

    assert "You have sent yourself many test emails." in page.content.decode()
