"""The demo's organisations."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine
from django.contrib.auth import authenticate
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db.models import Q

from appointments.attention.conditions import needing_attention
from appointments.calendar_feed_models import CalendarFeed
from appointments.clients import possible_duplicates
from appointments.email_settings_models import ReminderRule
from appointments.models import Appointment, Client, Status
from demo.logins import LOGINS, PASSWORD, TENANT_ID, ready_text
from demo.seed import seed
from services.models import MeetingMethod, Service
from simulator.people import CONTOSO_ID, PEOPLE
from staff.audit_log.kinds import ROLE_CHANGED
from staff.audit_log.models import AuditEvent
from staff.audit_log.text import entries_of
from staff.branding.colors import MIN_CONTRAST, contrast_with_white
from staff.branding.logos import logo_with
from staff.models import DateOverride, HolidayCalendar, Organization, StaffMember, TimeOff, WorkingHours

pytestmark = pytest.mark.django_db

WEDNESDAY_NOON = datetime(2026, 11, 25, 17, 0, tzinfo=UTC)  # in Toronto
SATURDAY = datetime(2026, 11, 28, 15, 0, tzinfo=UTC)
CLOCKS_CHANGE = datetime(2026, 10, 28, 12, 0, tzinfo=UTC)  # on the Sunday in the middle of its two weeks

FEATURED = {person.upn: person for person in PEOPLE}


def test_maple_has_the_teams_addon_and_cedar_has_both() -> None:
    seed(WEDNESDAY_NOON)

    addons = Organization.objects.values_list("slug", "addons")

    assert list(addons) == [("cedar", ["teams", "teams-access-policy"]), ("maple", ["teams"])]


def test_the_audit_log_shows_how_the_front_desk_got_its_role() -> None:
    seed(WEDNESDAY_NOON)

    (entry,) = entries_of(AuditEvent.objects.filter(kind=ROLE_CHANGED.name, organization__slug="maple"))

    assert (entry.actor, entry.details) == ("Ada Lovell", "Role: Staff member → Scheduler")
    assert entry.event.at < WEDNESDAY_NOON


def test_maple_has_a_logo_a_colour_and_a_branch_in_another_time_zone() -> None:
    seed(WEDNESDAY_NOON)

    maple = Organization.objects.get(slug="maple")

    assert (maple.color, bool(logo_with("maple", maple.logo_digest))) == ("#9b2226", True)
    assert contrast_with_white(maple.color) >= MIN_CONTRAST
    zones = {branch.time_zone.key for branch in maple.locations.all() if branch.map_link and branch.hours.exists()}
    assert zones == {"America/Toronto", "America/Vancouver"}


@pytest.mark.parametrize("email", [login.email for login in LOGINS])
def test_every_login_printed_at_the_terminal_can_sign_in(email: str) -> None:
    seed(WEDNESDAY_NOON)

    member = authenticate(username=email, password=PASSWORD)

    assert isinstance(member, StaffMember)
    assert member.email == email


def test_the_operator_belongs_to_no_organisation() -> None:
    seed(WEDNESDAY_NOON)

    olive = StaffMember.objects.get(is_superuser=True)

    assert (olive.email, olive.organization, olive.is_staff) == ("olive@operator.example", None, True)


def test_the_simulated_tenant_knows_all_staff_except_four_who_cannot_be_matched_on_purpose() -> None:
    seed(WEDNESDAY_NOON)

    emails = StaffMember.objects.filter(organization__isnull=False).values_list("email", flat=True)
    unknown = {email for email in emails if email not in FEATURED}
    refused = {email for email in emails if email in FEATURED and not FEATURED[email].enabled}

    assert unknown == {"grace@maple.example", "hugo@maple.example", "ivy@maple.example"}
    assert refused == {"frank@maple.example"}


@pytest.mark.parametrize("now", [WEDNESDAY_NOON, SATURDAY])
def test_two_appointments_need_attention_because_their_staff_member_leaves(now: datetime) -> None:
    seed(now)

    with time_machine.travel(now, tick=False):
        found = needing_attention(Organization.objects.get(slug="maple"))

    assert [appointment.staff.name for appointment in found] == ["Erin Walsh", "Erin Walsh"]
    assert {appointment.staff.last_day for appointment in found} == {date(2026, 12, 2)}


def test_staff_have_the_same_names_at_microsoft() -> None:
    seed(WEDNESDAY_NOON)

    names = {member.email: member.name for member in StaffMember.objects.filter(email__in=FEATURED)}

    assert names == {email: FEATURED[email].name for email in names}


def test_the_tenant_printed_at_the_terminal_is_the_simulated_one() -> None:
    assert TENANT_ID == CONTOSO_ID


def test_the_terminal_shows_address_password_tenant_and_logins() -> None:
    text = ready_text("http://localhost:8000", "http://localhost:9000")

    missing = [word for word in (PASSWORD, TENANT_ID, *(login.email for login in LOGINS)) if word not in text]
    assert missing == []


def test_the_terminal_shows_the_client_view_address_with_the_chosen_port() -> None:
    seed(WEDNESDAY_NOON)

    text = ready_text("http://localhost:8080", "http://localhost:9000")

    slug = Organization.objects.get(name="Maple Credit Union").slug
    assert f"Clients of Maple Credit Union book without signing in: http://localhost:8080/book/{slug}/" in text


def test_some_services_offer_video_and_others_do_not_yet() -> None:
    seed(WEDNESDAY_NOON)

    maple = Service.objects.filter(organization__slug="maple")
    with_video = maple.filter(meeting_methods__method=MeetingMethod.VIDEO)

    assert list(with_video.values_list("name", flat=True)) == ["Mortgage review", "Retirement planning"]
    assert maple.count() == 8


def test_a_client_was_added_twice() -> None:
    seed(WEDNESDAY_NOON)
    maple = Organization.objects.get(slug="maple")

    twins = possible_duplicates(maple, name="Jose Nunez")

    assert [client.name for client in twins] == ["José Núñez", "Nunez, Jose"]
    assert {client.phone for client in twins} == {"+14165550115"}


def test_cleo_is_a_client_of_maple() -> None:
    seed(WEDNESDAY_NOON)

    cleo = Client.objects.get(name="Cleo Brandt")

    assert (cleo.organization.slug, cleo.email) == ("maple", "cleo@example.com")


@pytest.mark.parametrize("now", [WEDNESDAY_NOON, SATURDAY, CLOCKS_CHANGE])
def test_every_row_is_valid(now: datetime) -> None:
    seed(now)

    for model in (
        Organization,
        StaffMember,
        Service,
        TimeOff,
        DateOverride,
        HolidayCalendar,
        WorkingHours,
        Client,
        Appointment,
    ):
        for row in model._default_manager.all():
            row.full_clean()


@pytest.mark.parametrize("now", [WEDNESDAY_NOON, SATURDAY, CLOCKS_CHANGE])
def test_appointments_lie_in_the_working_hours_of_their_staff_member(now: datetime) -> None:
    seed(now)

    outside = [a for a in Appointment.objects.all() if not _is_within_hours(a)]

    assert outside == []


@pytest.mark.parametrize("day", range(23, 28))
def test_every_weekday_has_appointments_of_several_staff_members(day: int) -> None:
    seed(WEDNESDAY_NOON)

    busy = Appointment.objects.busy().filter(organization__slug="maple", starts_at__day=day)

    assert busy.values("staff").distinct().count() >= 4


def test_no_appointment_overlaps_time_off() -> None:
    seed(WEDNESDAY_NOON)

    clashes = [
        off
        for off in TimeOff.objects.all()
        if off.staff.appointments.filter(starts_at__lt=off.ends_at, ends_at__gt=off.starts_at).exists()
    ]

    assert clashes == []
    assert TimeOff.objects.count() == 3


def test_maple_observes_holidays_and_plans_closings_after_its_appointments() -> None:
    seed(WEDNESDAY_NOON)

    last = max(appointment.starts_at.date() for appointment in Appointment.objects.all())
    assert set(HolidayCalendar.objects.values_list("country", "region")) == {("CA", "ON"), ("CA", "BC")}
    assert DateOverride.objects.filter(location__isnull=False, first_day__gt=last).count() == 2
    assert DateOverride.objects.filter(staff__isnull=False, first_day__gt=last).count() == 2
    assert WorkingHours.objects.filter(starts_on__gt=last, location__name="Rosedale").count() == 1


def test_past_appointments_are_over_and_future_ones_are_confirmed() -> None:
    seed(WEDNESDAY_NOON)

    past = Appointment.objects.filter(ends_at__lte=WEDNESDAY_NOON).values_list("status", flat=True)
    future = Appointment.objects.filter(starts_at__gt=WEDNESDAY_NOON).values_list("status", flat=True)

    assert set(past) == {Status.SERVED, Status.NO_SHOW, Status.CANCELLED}
    assert set(future) == {Status.CONFIRMED, Status.CANCELLED}


def test_no_appointment_needs_a_connection_that_does_not_exist() -> None:
    seed(WEDNESDAY_NOON)

    assert not Appointment.objects.filter(Q(method=MeetingMethod.VIDEO) | Q(meeting__isnull=False)).exists()


def test_a_second_start_keeps_the_data() -> None:
    call_command("prepare_demo", verbosity=0)
    StaffMember.objects.filter(email="sam@maple.example").update(first_name="Samuel")

    call_command("prepare_demo", verbosity=0)

    assert Organization.objects.count() == 2
    assert StaffMember.objects.get(email="sam@maple.example").first_name == "Samuel"


def _is_within_hours(appointment: Appointment) -> bool:
    zone = appointment.staff.zone
    start, end = appointment.busy_from.astimezone(zone), appointment.busy_to.astimezone(zone)
    return appointment.staff.working_hours.filter(
        weekday=start.weekday(), start__lte=start.time(), end__gte=end.time()
    ).exists()


def test_the_demo_is_only_seeded_where_demo_is_on(db: None, settings: Any) -> None:
    settings.DEMO = False

    with pytest.raises(CommandError, match="DEMO=true"):
        call_command("prepare_demo", verbosity=0)

    assert not Organization.objects.exists()


def test_an_admin_has_a_calendar_address() -> None:
    seed()

    assert CalendarFeed.objects.filter(staff__organization__slug="maple", staff__role="admin").count() == 1


def test_clients_of_maple_are_reminded() -> None:
    seed(WEDNESDAY_NOON)

    rules = ReminderRule.objects.filter(organization__slug="maple")
    assert sorted(rules.values_list("minutes", flat=True)) == [120, 1440]
