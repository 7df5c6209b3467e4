"""Access to every address of the product, for every role.

A new page without a line in `RULES` fails here.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client as Browser
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from appointments.client_view.form_tokens import reference_of
from appointments.models import Appointment, BookedThrough
from integrations.events import record_event
from integrations.models import EventKind, MatchField, RematchScope
from services.models import MeetingMethod
from staff.models import Role, StaffMember, TimeOff
from tests.factories import (
    make_client,
    make_connection,
    make_location,
    make_match,
    make_member,
    make_operator,
    make_organization,
    make_run,
    make_service,
)

NOW = datetime(2099, 3, 2, 15, tzinfo=UTC)

# Ada is an admin, Sky a scheduler, Sam the staff member of the rows, Ben another one, Otto the admin of another
# organisation, and Olive an operator. "nobody" isn't signed in.
ADMINS = {"ada": "in", "sky": "403", "sam": "403", "ben": "403", "otto": "in", "olive": "403"}
SCHEDULERS = {**ADMINS, "sky": "in"}
MEMBERS = {**SCHEDULERS, "sam": "in", "ben": "in"}
NOT_SCHEDULERS = {**MEMBERS, "sky": "403"}
OWN_ADMINS = {**ADMINS, "otto": "404"}
OWN_SCHEDULERS = {**SCHEDULERS, "otto": "404"}
OWN_PROFILE = {**OWN_ADMINS, "sam": "in", "ben": "404"}
OWNER_OR_SCHEDULER = {**OWN_SCHEDULERS, "sam": "in", "ben": "404"}
EVERYONE = dict.fromkeys((*ADMINS, "nobody"), "in")

RULES = {
    "home": {**MEMBERS, "olive": "in"},
    "login": EVERYONE,
    "logout": dict.fromkeys(EVERYONE, "sign in"),
    "password-forgotten": EVERYONE,
    "password-set": EVERYONE,
    "staff-list": NOT_SCHEDULERS,
    "staff-add": ADMINS,
    "staff-edit": OWN_ADMINS,
    "staff-invite": OWN_ADMINS,
    "staff-hours": OWN_PROFILE,
    "staff-time-off": OWN_PROFILE,
    "staff-time-off-remove": OWN_PROFILE,
    "staff-services": OWN_ADMINS,
    # Schedulers choose their own platform, too.
    "staff-profile": {**OWN_PROFILE, "sky": "404"},
    "service-list": ADMINS,
    "service-add": ADMINS,
    "service-edit": OWN_ADMINS,
    "service-more": OWN_ADMINS,
    "service-staff": OWN_ADMINS,
    "service-to-video": OWN_ADMINS,
    "settings": ADMINS,
    "client-view-settings": ADMINS,
    "video-links": ADMINS,
    "video-calls": ADMINS,
    "video-calls-new": ADMINS,
    "video-calls-all": ADMINS,
    "connection": OWN_ADMINS,
    "connection-toggle": OWN_ADMINS,
    "connection-bulk": OWN_ADMINS,
    "connection-undo": OWN_ADMINS,
    "connection-grant": OWN_ADMINS,
    "connection-takeover": OWN_ADMINS,
    "connection-unsettled": OWN_ADMINS,
    "connection-script": OWN_ADMINS,
    "connection-rematch": OWN_ADMINS,
    "connection-rematch-progress": OWN_ADMINS,
    "connection-rematch-failed": OWN_ADMINS,
    "connection-rematch-dismiss": OWN_ADMINS,
    "connection-rematch-changes": OWN_ADMINS,
    "connection-field": OWN_ADMINS,
    "connection-field-preview": OWN_ADMINS,
    "connection-field-change": OWN_ADMINS,
    "connection-field-cancel": OWN_ADMINS,
    "connection-health": OWN_ADMINS,
    "connection-check": OWN_ADMINS,
    "connection-settings": OWN_ADMINS,
    "connection-try-again": OWN_ADMINS,
    "connection-disconnect": OWN_ADMINS,
    "connection-default": OWN_ADMINS,
    "connection-use-default": OWN_ADMINS,
    "connection-rename": OWN_ADMINS,
    "connection-reauthorize": OWN_ADMINS,
    "teams-reauthorize": OWN_ADMINS,
    "teams-policy": ADMINS,
    "teams-service-account": ADMINS,
    "teams-waiting": ADMINS,
    "teams-again": OWN_ADMINS,
    "teams-connect": ADMINS,
    "teams-tenant": ADMINS,
    "teams-callback": ADMINS,
    "schedule": MEMBERS,
    "schedule-events": MEMBERS,
    "appointment-add": SCHEDULERS,
    "appointment": OWNER_OR_SCHEDULER,
    "appointment-move": OWNER_OR_SCHEDULER,
    "appointment-cancel": OWNER_OR_SCHEDULER,
    "appointment-link": OWNER_OR_SCHEDULER,
    "appointment-try-again": OWNER_OR_SCHEDULER,
    "contact-center": SCHEDULERS,
    "contact-center-booked": OWN_SCHEDULERS,
    "appointment-news": OWNER_OR_SCHEDULER,
    "appointment-status": OWNER_OR_SCHEDULER,
    "appointment-notes": OWNER_OR_SCHEDULER,
    "appointment-drag": OWNER_OR_SCHEDULER,
    "appointment-reassign": {**OWN_SCHEDULERS, "sam": "403", "ben": "403"},
    "appointment-method": OWNER_OR_SCHEDULER,
    "appointment-mail-again": OWNER_OR_SCHEDULER,
    "contact-center-book": SCHEDULERS,
    "client-list": SCHEDULERS,
    "client-add": SCHEDULERS,
    "client-edit": OWN_SCHEDULERS,
    "book": EVERYONE,
    "book-booked": EVERYONE,
    "book-slots": EVERYONE,
    "manage-appointment": EVERYONE,
    "manage-move": EVERYONE,
    "manage-cancel": EVERYONE,
    "manage-calendar": EVERYONE,
    "join": EVERYONE,
}
STAFF_URLS = {"connection-toggle", "connection-grant", "connection-takeover"}
PUBLIC = {"password-set": ["MQ", "a-token"], "book": ["maple"], "book-slots": ["maple"]}
RUN_URLS = {"connection-rematch-failed", "connection-rematch-dismiss", "connection-rematch-changes"}
PREVIEW_URLS = {"connection-field-preview", "connection-field-change", "connection-field-cancel"}
ONLY_POST = {
    "logout",
    "staff-invite",
    "staff-time-off",
    "staff-time-off-remove",
    "connection-toggle",
    "connection-bulk",
    "connection-undo",
    "connection-grant",
    "connection-rematch-failed",
    "connection-rematch-dismiss",
    "connection-field-change",
    "connection-field-cancel",
    "connection-default",
    "connection-use-default",
    "connection-settings",
    "connection-try-again",
    "appointment-try-again",
    "contact-center-book",
    "appointment-status",
    "appointment-notes",
    "appointment-drag",
    "appointment-mail-again",
}
ALSO_POST = {
    "client-view-settings",
    "staff-add",
    "staff-edit",
    "staff-hours",
    "staff-services",
    "staff-profile",
    "service-add",
    "service-edit",
    "service-more",
    "service-staff",
    "connection-rematch",
    "connection-field",
    "connection-disconnect",
    "connection-script",
    "connection-rename",
    "connection-takeover",
    "teams-reauthorize",
    "teams-policy",
    "teams-waiting",
    "connection-check",
    "teams-connect",
    "teams-tenant",
    "appointment-add",
    "appointment-move",
    "appointment-cancel",
    "contact-center",
    "client-add",
    "client-edit",
}


def names(resolver: URLResolver) -> Iterator[str]:
    """Return the names of all addresses, without those of Django's admin."""
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            yield entry.name or str(entry.pattern)
        elif entry.namespace != "admin":
            yield from names(entry)


@pytest.fixture
def world(fake_teams: Any) -> dict[str, Any]:
    """Return the rows of Maple, one of each kind about Sam, and all people."""
    maple, cedar = make_organization(), make_organization("Cedar Bank")
    location = make_location(maple)
    people = {
        "ada": make_member(maple, "Ada Lovell", Role.ADMIN),
        "sky": make_member(maple, "Sky Moreno", Role.SCHEDULER),
        "sam": make_member(maple, "Sam Okafor", location=location),
        "ben": make_member(maple, "Ben Carter"),
        "otto": make_member(cedar, "Otto Keller", Role.ADMIN),
        "olive": make_operator(),
    }
    sam = people["sam"]
    service = make_service(maple, provided_by=(sam,))
    connection = make_connection(maple)
    make_match(connection, sam)
    run = make_run(connection)
    preview = make_run(connection, scope=RematchScope.PREVIEW, match_field=MatchField.USERNAME)
    client = make_client(maple)
    appointment = Appointment.objects.create(
        organization=maple,
        service=service,
        staff=sam,
        client=client,
        starts_at=NOW,
        ends_at=NOW + timedelta(minutes=30),
        busy_from=NOW,
        busy_to=NOW + timedelta(minutes=30),
        method=MeetingMethod.AT_LOCATION,
        booked_through=BookedThrough.SCHEDULE,
    )
    time_off = TimeOff.objects.create(staff=sam, starts_at=NOW, ends_at=NOW + timedelta(hours=1))
    return {
        "people": people,
        "service": service.pk,
        "connection": connection.pk,
        "switch_event": record_event(connection, EventKind.TURNED_ON, people["ada"]).pk,
        "run": run.pk,
        "preview": preview.pk,
        "client": client.pk,
        "appointment": appointment,
        "time_off": time_off.pk,
        "mail": appointment.notifications.create(kind="booked", to=client.email, state="failed").pk,
    }


def address(name: str, world: dict[str, Any]) -> str:
    """Return the address of the page about Maple's row."""
    sam, appointment = world["people"]["sam"].pk, world["appointment"]
    of_two = {
        "staff-time-off-remove": [sam, world["time_off"]],
        "appointment-mail-again": [appointment.pk, world["mail"]],
    }
    if name in of_two:
        return reverse(name, args=of_two[name])
    if name in PREVIEW_URLS:
        return reverse(name, args=[world["connection"], world["preview"]])
    if name in RUN_URLS:
        return reverse(name, args=[world["connection"], world["run"]])
    if name == "connection-undo":
        return reverse(name, args=[world["connection"], world["switch_event"]])
    if name in STAFF_URLS:
        return reverse(name, args=[world["connection"], sam])
    if name in (
        public := {
            **PUBLIC,
            "join": [appointment.join_token],
            "book-booked": ["maple", reference_of(appointment)],
        }
    ):
        return reverse(name, args=public[name])
    if name.startswith("manage-"):
        return reverse(name, args=[appointment.manage_token])
    if RULES[name]["otto"] != "404":
        return reverse(name)
    rows = {
        "staff": sam,
        "service": world["service"],
        "client": world["client"],
        "appointment": appointment.pk,
        "contact": appointment.pk,
    }
    return reverse(name, args=[rows.get(name.partition("-")[0], world["connection"])])


def outcome(response: HttpResponse) -> str:
    if response.status_code in (302, 303) and response.headers["Location"].startswith(reverse("login")):
        return "sign in"
    return str(response.status_code) if response.status_code in (403, 404) else "in"


def ask(browser: Browser, name: str, world: dict[str, Any], method: str) -> str:
    response = getattr(browser, method)(address(name, world))
    assert response.status_code < 500, (name, method)
    return outcome(response)


def test_every_address_has_a_rule() -> None:
    assert set(names(get_resolver())) == set(RULES)


@pytest.mark.parametrize("who", [*ADMINS, "nobody"])
@pytest.mark.parametrize("name", RULES)
def test_access_by_role(client: Browser, world: dict[str, Any], name: str, who: str) -> None:
    person: StaffMember | None = world["people"].get(who)
    if person is not None:
        client.force_login(person)

    methods = ["post"] if name in ONLY_POST else ["get", "post"] if name in ALSO_POST else ["get"]
    # GET first, because a POST may change the rows of the next page.
    found = [ask(client, name, world, method) for method in methods]

    expected = RULES[name].get(who, "sign in")
    assert found == [expected] * len(methods)


@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if rule["otto"] == "404"])
@pytest.mark.parametrize("number", [0, 2**31, 2**63, 10**30])
def test_an_unknown_id_is_not_found(client: Browser, world: dict[str, Any], name: str, number: int) -> None:
    client.force_login(world["people"]["ada"])
    of_two = {
        "staff-time-off-remove",
        "appointment-mail-again",
        "connection-undo",
        *STAFF_URLS,
        *RUN_URLS,
        *PREVIEW_URLS,
    }
    rows = [number, number] if name in of_two else [number]

    response = (
        client.post(reverse(name, args=rows)) if name in ONLY_POST else client.get(reverse(name, args=rows))
    )

    assert response.status_code == 404
