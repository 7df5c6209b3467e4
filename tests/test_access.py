"""Access to every URL for each role. A URL without a line in `RULES` fails."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client as Browser
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from appointments.bulk_change_models import BulkChange
from appointments.client_view.form_tokens import reference_of
from appointments.models import Appointment, BookedThrough
from integrations.events import record_event
from integrations.models import EventKind, MatchField, RematchScope
from services.models import MeetingMethod, QuestionKind
from services.questions import QuestionDraft, add_question
from staff.branding.logos import save_logo
from staff.models import DateOverride, OutboxEmail, Role, StaffMember, TimeOff
from tests.factories import (
    make_client,
    make_connection,
    make_connection_request,
    make_location,
    make_match,
    make_member,
    make_operator,
    make_organization,
    make_run,
    make_service,
)

NOW = datetime(2099, 3, 2, 15, tzinfo=UTC)

# Ada is an admin, Sky a scheduler. The rows belong to the staff member Sam; Ben is another one. Otto is an admin of
# another organisation, Olive an operator. The role "nobody" isn't signed in.
ADMINS = {"ada": "in", "sky": "403", "sam": "403", "ben": "403", "otto": "in", "olive": "403"}
SCHEDULERS = {**ADMINS, "sky": "in"}
MEMBERS = {**SCHEDULERS, "sam": "in", "ben": "in"}
NOT_SCHEDULERS = {**MEMBERS, "sky": "403"}
OWN_ADMINS = {**ADMINS, "otto": "404"}
OWN_SCHEDULERS = {**SCHEDULERS, "otto": "404"}
THE_PERSON = {**OWN_ADMINS, "sam": "in", "ben": "404"}
WHOSE_IT_IS = {**OWN_SCHEDULERS, "sam": "in", "ben": "404"}
EVERYBODY = dict.fromkeys((*ADMINS, "nobody"), "in")

RULES = {
    "home": {**MEMBERS, "olive": "in"},
    "security-txt": EVERYBODY,
    "login": EVERYBODY,
    "logout": dict.fromkeys(EVERYBODY, "sign in"),
    "sign-out-everywhere": MEMBERS,
    "password-change": MEMBERS,
    "operator-password-change": {**dict.fromkeys(MEMBERS, "sign in"), "olive": "in"},
    "password-forgotten": EVERYBODY,
    "password-set": EVERYBODY,
    "password-invitation": EVERYBODY,
    "staff-list": NOT_SCHEDULERS,
    "staff-add": ADMINS,
    "staff-edit": OWN_ADMINS,
    "staff-invite": OWN_ADMINS,
    "staff-hours": THE_PERSON,
    "staff-time-off": THE_PERSON,
    "staff-time-off-remove": THE_PERSON,
    "staff-future-hours-remove": THE_PERSON,
    "staff-exceptions": THE_PERSON,
    "staff-exception-edit": THE_PERSON,
    "staff-exception-remove": THE_PERSON,
    "closings": ADMINS,
    "closing-edit": OWN_ADMINS,
    "closing-remove": OWN_ADMINS,
    "location-holidays": OWN_ADMINS,
    "staff-services": OWN_ADMINS,
    "staff-service-places": OWN_ADMINS,
    # Schedulers choose their own platform, too.
    "staff-profile": {**THE_PERSON, "sky": "404"},
    "service-list": ADMINS,
    "service-add": ADMINS,
    "service-edit": OWN_ADMINS,
    "service-more": OWN_ADMINS,
    "service-staff": OWN_ADMINS,
    "service-questions": OWN_ADMINS,
    "service-question-add": OWN_ADMINS,
    "question-edit": OWN_ADMINS,
    "question-move": OWN_ADMINS,
    "service-to-video": OWN_ADMINS,
    "settings": ADMINS,
    "organization-settings": ADMINS,
    "organization-logo": ADMINS,
    "location-list": ADMINS,
    "location-add": ADMINS,
    "location-edit": OWN_ADMINS,
    "location-hours": OWN_ADMINS,
    "location-future-hours-remove": OWN_ADMINS,
    "brand-logo": EVERYBODY,
    # It asks for a secret, not for an account.
    "email-events": dict.fromkeys(EVERYBODY, "403"),
    "brand-styles": EVERYBODY,
    "audit-log": ADMINS,
    "audit-log-file": ADMINS,
    "client-view-settings": ADMINS,
    "email-settings": ADMINS,
    "email-test": ADMINS,
    "service-reminders": OWN_ADMINS,
    "privacy-settings": ADMINS,
    "local-times": ADMINS,
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
    "teams-new-account": OWN_ADMINS,
    "teams-policy": ADMINS,
    "teams-service-account": ADMINS,
    "teams-waiting": ADMINS,
    "teams-request": OWN_ADMINS,
    "teams-request-cancel": OWN_ADMINS,
    "teams-again": OWN_ADMINS,
    "teams-connect": ADMINS,
    "teams-tenant": ADMINS,
    "teams-opening": ADMINS,
    "teams-callback": ADMINS,
    "schedule": MEMBERS,
    "schedule-events": MEMBERS,
    "attention": SCHEDULERS,
    "attention-change": SCHEDULERS,
    "attention-progress": OWN_SCHEDULERS,
    "appointment-add": SCHEDULERS,
    "appointment": WHOSE_IT_IS,
    "appointment-move": WHOSE_IT_IS,
    "appointment-cancel": WHOSE_IT_IS,
    "appointment-link": WHOSE_IT_IS,
    "appointment-try-again": WHOSE_IT_IS,
    "contact-center": SCHEDULERS,
    "contact-center-booked": OWN_SCHEDULERS,
    "appointment-news": WHOSE_IT_IS,
    "appointment-status": WHOSE_IT_IS,
    "appointment-notes": WHOSE_IT_IS,
    "appointment-drag": WHOSE_IT_IS,
    "appointment-leave": {**OWN_SCHEDULERS, "sam": "403", "ben": "403"},
    "appointment-reassign": {**OWN_SCHEDULERS, "sam": "403", "ben": "403"},
    "appointment-method": WHOSE_IT_IS,
    "appointment-mail-again": WHOSE_IT_IS,
    "contact-center-book": SCHEDULERS,
    "client-list": SCHEDULERS,
    "client-add": SCHEDULERS,
    "client-edit": OWN_SCHEDULERS,
    "client-erase": OWN_ADMINS,
    "client-merge": OWN_SCHEDULERS,
    "client-export": OWN_ADMINS,
    "book": EVERYBODY,
    "book-booked": EVERYBODY,
    "book-slots": EVERYBODY,
    "manage-appointment": EVERYBODY,
    "manage-move": EVERYBODY,
    "manage-cancel": EVERYBODY,
    "manage-calendar": EVERYBODY,
    "calendar-feed": MEMBERS,
    "calendar-feed-end": MEMBERS,
    # The token decides, not the session. This one is unknown.
    "calendar-feed-file": dict.fromkeys(EVERYBODY, "404"),
    "join": EVERYBODY,
}
OF_A_PERSON = {"connection-toggle", "connection-grant", "connection-takeover"}
PUBLIC = {
    "password-set": ["MQ", "a-token"],
    "password-invitation": ["MQ", "a-token"],
    "brand-styles": ["7a1f3d"],
    "book": ["maple"],
    "book-slots": ["maple"],
}
OF_A_RUN = {"connection-rematch-failed", "connection-rematch-dismiss", "connection-rematch-changes"}
OF_A_PREVIEW = {"connection-field-preview", "connection-field-change", "connection-field-cancel"}
ONLY_POST = {
    "email-test",
    "email-events",
    "logout",
    "sign-out-everywhere",
    "staff-invite",
    "staff-time-off",
    "staff-time-off-remove",
    "staff-future-hours-remove",
    "staff-exceptions",
    "staff-exception-remove",
    "staff-service-places",
    "closing-remove",
    "location-future-hours-remove",
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
    "teams-request-cancel",
    "appointment-try-again",
    "contact-center-book",
    "appointment-status",
    "appointment-notes",
    "appointment-leave",
    "appointment-drag",
    "appointment-mail-again",
    "question-move",
}
ALSO_POST = {
    "password-change",
    "client-view-settings",
    "email-settings",
    "service-reminders",
    "organization-settings",
    "organization-logo",
    "location-add",
    "location-edit",
    "location-hours",
    "staff-add",
    "staff-edit",
    "staff-hours",
    "staff-exception-edit",
    "closings",
    "closing-edit",
    "location-holidays",
    "staff-services",
    "staff-profile",
    "service-add",
    "service-edit",
    "service-more",
    "service-staff",
    "service-question-add",
    "question-edit",
    "connection-rematch",
    "connection-field",
    "connection-disconnect",
    "connection-script",
    "connection-rename",
    "connection-takeover",
    "teams-reauthorize",
    "teams-new-account",
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
    "client-erase",
    "privacy-settings",
}


def names(resolver: URLResolver) -> Iterator[str]:
    """Return the names of all URLs except Django admin's."""
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            yield entry.name or str(entry.pattern)
        elif entry.namespace != "admin":
            yield from names(entry)


@pytest.fixture
def world(fake_teams: Any) -> dict[str, Any]:
    """Maple with a row of every kind for Sam, and the other people."""
    maple, cedar = make_organization(), make_organization("Cedar Bank")
    save_logo(maple, b"pixels")
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
    email = OutboxEmail.objects.create(kind="appointment", to=[client.email], state="failed")
    time_off = TimeOff.objects.create(staff=sam, starts_at=NOW, ends_at=NOW + timedelta(hours=1))
    days = {"first_day": NOW.date(), "last_day": NOW.date()}
    exception = DateOverride.objects.create(staff=sam, all_methods=True, **days)
    closing = DateOverride.objects.create(location=location, **days)
    return {
        "people": people,
        "service": service.pk,
        "question": add_question(service, QuestionDraft(QuestionKind.SHORT_TEXT, "Which branch?")).pk,
        "location": location.pk,
        "connection": connection.pk,
        "request": make_connection_request(people["ada"]).pk,
        "turning": record_event(connection, EventKind.TURNED_ON, people["ada"]).pk,
        "run": run.pk,
        "preview": preview.pk,
        "client": client.pk,
        "appointment": appointment,
        "time_off": time_off.pk,
        "exception": exception.pk,
        "closing": closing.pk,
        "bulk_change": BulkChange.objects.create(organization=maple, action="move", started_by=people["ada"]).pk,
        "mail": appointment.notifications.create(kind="booked", email=email).pk,
    }


def address(name: str, world: dict[str, Any]) -> str:
    """Return the URL of the page of Maple's row."""
    sam, appointment = world["people"]["sam"].pk, world["appointment"]
    of_two = {
        "staff-time-off-remove": [sam, world["time_off"]],
        "staff-future-hours-remove": [sam, "2099-03-02"],
        "location-future-hours-remove": [world["location"], "2099-03-02"],
        "staff-exception-edit": [sam, world["exception"]],
        "staff-exception-remove": [sam, world["exception"]],
        "appointment-mail-again": [appointment.pk, world["mail"]],
    }
    if name in of_two:
        return reverse(name, args=of_two[name])
    if name in OF_A_PREVIEW:
        return reverse(name, args=[world["connection"], world["preview"]])
    if name in OF_A_RUN:
        return reverse(name, args=[world["connection"], world["run"]])
    if name == "connection-undo":
        return reverse(name, args=[world["connection"], world["turning"]])
    if name.startswith("teams-request"):
        return reverse(name, args=[world["request"]])
    if name in OF_A_PERSON:
        return reverse(name, args=[world["connection"], sam])
    if name in (
        public := {
            **PUBLIC,
            "join": [appointment.join_token],
            "book-booked": ["maple", reference_of(appointment)],
            "calendar-feed-file": ["a-token"],
            "brand-logo": ["maple", appointment.organization.logo_digest],
        }
    ):
        return reverse(name, args=public[name])
    if name.startswith("manage-"):
        return reverse(name, args=[appointment.manage_token])
    if RULES[name]["otto"] != "404":
        return reverse(name)
    rows = {
        "staff": sam,
        "location": world["location"],
        "service": world["service"],
        "question": world["question"],
        "client": world["client"],
        "appointment": appointment.pk,
        "contact": appointment.pk,
        "closing": world["closing"],
        "attention": world["bulk_change"],
    }
    return reverse(name, args=[rows.get(name.partition("-")[0], world["connection"])])


def outcome(response: HttpResponse) -> str:
    sign_in_pages = (reverse("login"), reverse("admin:login"))
    if response.status_code in (302, 303) and response.headers["Location"].startswith(sign_in_pages):
        return "sign in"
    return str(response.status_code) if response.status_code in (403, 404) else "in"


def ask(browser: Browser, name: str, world: dict[str, Any], method: str) -> str:
    response = getattr(browser, method)(address(name, world))
    assert response.status_code < 500, (name, method)
    return outcome(response)


def test_every_url_has_a_rule() -> None:
    assert set(names(get_resolver())) == set(RULES)


@pytest.mark.parametrize("name", RULES)
def test_each_page_opens_for_the_people_in_its_rule(world: dict[str, Any], name: str) -> None:
    methods = ["post"] if name in ONLY_POST else ["get", "post"] if name in ALSO_POST else ["get"]
    found = {}
    for who in (*ADMINS, "nobody"):
        # Everyone finds the same rows: the changes of one person are rolled back.
        with transaction.atomic():
            browser = browser_of(world["people"].get(who))
            # GET first, because a POST may change the row of the next request.
            found[who] = [ask(browser, name, world, method) for method in methods]
            transaction.set_rollback(True)

    assert found == {who: [RULES[name].get(who, "sign in")] * len(methods) for who in found}


def browser_of(person: StaffMember | None) -> Browser:
    browser = Browser()
    if person is not None:
        browser.force_login(person)
    return browser


@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if rule["otto"] == "404"])
def test_an_unknown_id_is_not_found(client: Browser, world: dict[str, Any], name: str) -> None:
    client.force_login(world["people"]["ada"])
    of_two = {
        "staff-time-off-remove",
        "staff-future-hours-remove",
        "location-future-hours-remove",
        "staff-exception-edit",
        "staff-exception-remove",
        "appointment-mail-again",
        "connection-undo",
        *OF_A_PERSON,
        *OF_A_RUN,
        *OF_A_PREVIEW,
    }
    for number in (0, 2**31, 2**63, 10**30):
        address_of_row = reverse(name, args=[number, number] if name in of_two else [number])
        response = client.post(address_of_row) if name in ONLY_POST else client.get(address_of_row)

        assert response.status_code == 404
