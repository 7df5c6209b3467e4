"""Changes by operators in Django admin, and the audit log there."""

from __future__ import annotations

import pytest
from django.core import mail
from django.urls import reverse

from staff.audit_log import kinds
from staff.audit_log.record import record
from staff.models import Role, StaffMember
from tests.audit_log import entry_of, event_of
from tests.factories import make_location, make_operator
from tests.outbox import send_all
from tests.staff.test_admin import BIRCH

pytestmark = pytest.mark.django_db
NEW_PASSWORD = "a quiet river at dawn"


@pytest.fixture
def olive() -> StaffMember:
    return make_operator()


@pytest.fixture
def operator(olive, client):
    client.force_login(olive)
    return client


def test_an_operators_edit_of_an_account_is_recorded_for_its_organisation(operator, olive, sam, maple):
    data = {"email": "samuel@maple.example", "is_active": "on", "role": Role.ADMIN, "first_name": "Sam"}
    operator.post(reverse("admin:staff_staffmember_change", args=[sam.pk]), {**data, "last_name": "Okafor"})

    event = event_of(kinds.EMAIL_CHANGED)
    assert (event.organization, event.actor, event.subject_id) == (maple, olive, sam.pk)
    entry = entry_of(kinds.ROLE_CHANGED)
    assert (entry.actor, entry.details) == ("Olive (operator)", "Role: Staff member → Admin")


def test_an_operators_new_password_for_a_person_is_recorded_and_announced(operator, olive, sam):
    address = reverse("admin:auth_user_password_change", args=[sam.pk])
    operator.post(address, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD, "usable_password": "true"})

    send_all()
    assert event_of(kinds.PASSWORD_CHANGED).actor == olive
    assert [email.subject for email in mail.outbox] == ["Your password has changed"]


def test_an_account_added_by_an_operator_is_recorded(operator, olive, maple):
    data = {"email": "nia@maple.example", "organization": maple.pk, "role": "admin", "first_name": "Nia"}
    passwords = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD, "usable_password": "true"}
    operator.post(reverse("admin:staff_staffmember_add"), {**data, **passwords})

    event = event_of(kinds.PERSON_ADDED)
    assert (event.actor, event.organization) == (olive, maple)


def test_an_operators_edit_of_an_organisation_is_recorded(operator, maple):
    data = {**BIRCH, "name": "Maple Bank", "slug": "maple", "time_zone": "UTC", "addons": ["teams"]}
    operator.post(reverse("admin:staff_organization_change", args=[maple.pk]), {**data, "phone": "+1 416 555 0100"})

    assert entry_of(kinds.ORGANIZATION_CHANGED).details == (
        "Name: Maple Credit Union → Maple Bank; Phone for clients: – → +14165550100"
    )


def test_an_operators_edit_of_a_location_is_recorded(operator, maple):
    branch = make_location(maple, "Airport")
    data = {
        **BIRCH,
        "name": maple.name,
        "slug": "maple",
        "time_zone": "UTC",
        "locations-TOTAL_FORMS": "2",
        "locations-INITIAL_FORMS": "1",
        "locations-0-id": branch.pk,
        "locations-0-organization": maple.pk,
        "locations-0-name": "Airport West",
        "locations-0-active": "on",
        "locations-0-time_zone": "UTC",
        "locations-1-organization": maple.pk,
        "locations-1-name": "Harbour",
        "locations-1-time_zone": "UTC",
    }
    operator.post(reverse("admin:staff_organization_change", args=[maple.pk]), data)

    assert entry_of(kinds.LOCATION_CHANGED).details == "Name: Airport → Airport West"
    assert event_of(kinds.LOCATION_ADDED).subject_name == "Harbour"


def test_operators_see_events_without_an_organisation(operator):
    record(kinds.SIGN_IN_FAILED)

    page = operator.get(reverse("admin:audit_log_auditevent_changelist"), {"organization__isempty": "1"})

    assert "Sign-in failed" in page.text


def test_operators_see_the_details_but_change_nothing(operator, sam):
    event = record(kinds.ROLE_CHANGED, sam, changes=[{"field": "role", "before": "staff", "after": "admin"}])
    address = reverse("admin:audit_log_auditevent_change", args=[event.pk])

    assert "Role: Staff member → Admin" in operator.get(address).text
    assert operator.post(address, {"kind": "signed_in"}).status_code == 403
    assert operator.post(reverse("admin:audit_log_auditevent_delete", args=[event.pk])).status_code == 403


def test_the_list_of_operators_is_sorted_by_an_index(operator):
    changelist = operator.get(reverse("admin:audit_log_auditevent_changelist")).context["cl"]

    assert set(changelist.queryset.query.order_by) == {"-pk"}


def test_an_organisation_that_an_operator_adds_is_recorded(operator, olive):
    operator.post(reverse("admin:staff_organization_add"), BIRCH)

    event = event_of(kinds.ORGANIZATION_ADDED)
    assert (event.actor, event.organization_id, event.subject_name) == (olive, event.subject_id, "Birch Clinic")
    assert entry_of(kinds.ORGANIZATION_ADDED).details.startswith("Name: Birch Clinic; ")
