"""Events about clients and the Client View in the audit log."""

from __future__ import annotations

import pytest
from django.test import Client as Browser
from django.urls import reverse

from appointments.audit import (
    CLIENT_CHANGED,
    CLIENT_ERASED,
    CLIENT_EXPORTED,
    CLIENT_VIEW_CHANGED,
    RETENTION_CHANGED,
    record_client_export,
)
from appointments.models import Client
from staff.audit_log.models import AuditEvent
from staff.models import Role
from tests.appointments.conftest import Maple
from tests.audit_log import entry_of, event_of, events_of
from tests.factories import make_client, make_member


@pytest.fixture
def admin(maple: Maple) -> Browser:
    browser = Browser()
    browser.force_login(make_member(maple.organization, "Ada Lovell", Role.ADMIN))
    return browser


@pytest.fixture
def cleo(maple: Maple) -> Client:
    return make_client(maple.organization, "Cleo Zanzibar", email="zanzibar@example.com")


def edit(browser: Browser, client: Client, **changes: str) -> None:
    form = {"name": client.name, "email": client.email, "phone": client.phone, "time_zone": ""}
    browser.post(reverse("client-edit", args=[client.pk]), {**form, **changes})


def test_an_edited_client_is_recorded_with_the_names_of_the_fields(admin, cleo, maple):
    edit(admin, cleo, email="cleo@zanzibar.example", phone="+1 416 555 0199")

    event, entry = event_of(CLIENT_CHANGED), entry_of(CLIENT_CHANGED)
    assert (event.organization, event.params) == (maple.organization, {"fields": ["email", "phone"]})
    assert (entry.subject, entry.details) == (f"Client {cleo.pk}", "Email, Phone")
    assert entry.page == reverse("client-edit", args=[cleo.pk])


def test_no_value_of_a_client_is_recorded(admin, cleo):
    edit(admin, cleo, name="Zanzibar Cleo", phone="+1 416 555 0199")

    (row,) = AuditEvent.objects.filter(kind=CLIENT_CHANGED.name).values()
    assert [word for word in ("zanzibar", "0199") if word in str(row).lower()] == []


def test_a_client_saved_without_a_change_is_not_recorded(admin, cleo):
    edit(admin, cleo)

    assert events_of(CLIENT_CHANGED) == []


def test_an_export_is_recorded_without_values(cleo):
    record_client_export(cleo)

    event = event_of(CLIENT_EXPORTED)
    assert (event.subject_id, event.subject_name, event.params) == (cleo.pk, "", {})


def test_a_download_of_a_clients_data_is_recorded(admin, cleo):
    admin.get(reverse("client-export", args=[cleo.pk]))

    assert event_of(CLIENT_EXPORTED).subject_id == cleo.pk


def test_an_erasure_is_recorded_with_the_id_only(admin, cleo, maple):
    pk = cleo.pk

    admin.post(reverse("client-erase", args=[pk]))

    event = event_of(CLIENT_ERASED)
    assert (event.organization, event.subject_id, event.subject_name, event.params) == (maple.organization, pk, "", {})
    assert event.actor is not None


def test_a_changed_retention_period_is_recorded(admin, maple):
    admin.post(reverse("privacy-settings"), {"months": "24"})

    assert entry_of(RETENTION_CHANGED).details == "Retention months: – → 24"


def test_changed_client_view_settings_are_recorded_before_and_after(admin, maple):
    admin.post("/settings/client-view/", {"phone": "+1 416 555 0100", "embed_origins": "https://www.maple.example"})

    assert entry_of(CLIENT_VIEW_CHANGED).details == (
        "Phone for clients: – → +14165550100; Sites allowed to embed the Client View: – → https://www.maple.example"
    )


def test_client_view_settings_that_stay_are_not_recorded(admin, maple):
    admin.post("/settings/client-view/", {"phone": "", "embed_origins": ""})

    assert events_of(CLIENT_VIEW_CHANGED) == []
