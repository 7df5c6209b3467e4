"""Pages for people: the tenant page with its buttons, and the meeting page.

Each button runs the control of the same name; join links open the meeting page.
"""

import datetime as dt
from dataclasses import asdict
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from simulator.controls import CONTROLS, ControlError
from simulator.directory import Person, Tenant
from simulator.fault_fields import parse_number
from simulator.faults import KINDS
from simulator.meetings import Meeting
from simulator.people import CONTOSO_ID
from simulator.request_context import base_url
from simulator.store import store

MAX_PEOPLE_SHOWN = 100
MAX_REQUESTS_SHOWN = 100
# Form fields that hold integers, and those that hold text even if it reads like a switch.
NUMBER_FIELDS = frozenset({"count", "ms", "retry_after", "seconds", "status", "number", "delay", "resource_units"})
TEXT_FIELDS = frozenset({"body", "headers"})
BOOLEANS = {"true": True, "false": False}


@require_GET
def tenant_page(request: HttpRequest) -> HttpResponse:
    """Show tenants, people, policies, consents, faults, meetings and the request log."""
    with store.lock:
        tenants = list(store.directory.tenants.values())
        context = {
            "tenant": store.directory.tenants[CONTOSO_ID],
            "tenants": tenants,
            "client_id": store.registration.client_id,
            "base_url": base_url(request),
            "problem": request.GET.get("problem", ""),
            "rows": [
                _person_row(tenant, person) for tenant in tenants for person in tenant.people_after(0, MAX_PEOPLE_SHOWN)
            ],
            "total": sum(len(tenant) for tenant in tenants),
            "consents": _consent_rows(),
            "meetings": [_meeting_row(meeting) for meeting in reversed(store.meetings.all())],
            "faults": store.faults.dump(),
            "kinds": sorted(KINDS),
            "behaviour": asdict(store.behaviour),
            "deleted_organizer_answers": ("not_found", "forbidden"),
            "requests": _request_rows(),
        }
        return render(request, "simulator/tenant.html", context)


def _person_row(tenant: Tenant, person: Person) -> dict[str, Any]:
    return {
        "person": person,
        "tenant": tenant,
        "personal_policy": person.grant.current(),
        "covered": tenant.policy_allows(person, store.registration.client_id),
    }


def _consent_rows() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for tenant_id, consent in store.grants.admin.items():
        tenant = store.directory.tenants[tenant_id]
        rows.append({"tenant": tenant, "who": "All users (admin consent)", "granted": consent.scopes + consent.roles})
    for key, scopes in store.grants.personal.items():
        tenant_id, _, oid = key.partition("/")
        tenant = store.directory.tenants[tenant_id]
        holder = tenant.by_id(oid)
        rows.append({"tenant": tenant, "who": holder.upn if holder else oid, "user": oid, "granted": scopes})
    return rows


def _display_name(tenant_id: str, oid: str | None, fallback: str = "") -> str:
    tenant = store.directory.tenants.get(tenant_id)
    found = tenant.by_id(oid) if tenant is not None and oid else None
    return found.name if found is not None else fallback or str(oid)


def _meeting_row(meeting: Meeting) -> dict[str, Any]:
    return {"meeting": meeting, "organizer": _display_name(meeting.tenant_id, meeting.organizer_id)}


def _request_rows() -> list[dict[str, Any]]:
    latest = list(store.request_log)[-MAX_REQUESTS_SHOWN:]
    return [
        {
            "items": None,
            **entry,
            "clock": dt.datetime.fromtimestamp(entry["time"], dt.UTC).strftime("%H:%M:%S"),
        }
        for entry in reversed(latest)
    ]


@require_POST
def run_control(request: HttpRequest, name: str) -> HttpResponse:
    """Run the control of a button, then show the tenant page again."""
    control = CONTROLS.get(name)
    if control is None:
        return HttpResponse("No such control.", status=404)
    problem = ""
    try:
        data = {key: _parse_form_value(key, str(value)) for key, value in request.POST.items() if value}
        data.pop("csrfmiddlewaretoken", None)
        with store.lock:
            control(store, data)
    except (ControlError, TypeError, ValueError) as error:
        problem = str(error)
    query = {"problem": problem} if problem else None
    return HttpResponseRedirect(reverse("tenant", query=query))


def _parse_form_value(key: str, text: str) -> Any:
    if key in NUMBER_FIELDS:
        return parse_number(key, text)
    return text if key in TEXT_FIELDS else BOOLEANS.get(text, text)


@require_GET
def meeting_page(request: HttpRequest, short_id: str) -> HttpResponse:
    """Show the page behind a join link: GET /meet/<id>?p=<passcode>."""
    with store.lock:
        meeting = store.meetings.by_short_id(short_id)
        if meeting is None or request.GET.get("p") != meeting.passcode:
            return render(request, "simulator/meeting.html", {"meeting": None}, status=404)
        if meeting.deleted and store.behaviour.deleted_meetings_return:
            store.meetings.restore(meeting)
            store.mark_changed()
        lobby = {"scope": "organization", **meeting.options.get("lobbyBypassSettings", {})}
        context = {
            "meeting": asdict(meeting),
            "organizer": _display_name(meeting.tenant_id, meeting.organizer_id),
            "lobby": LOBBY_TEXTS.get(lobby["scope"], lobby["scope"]),
            "attendees": [_attendee_row(meeting, attendee) for attendee in meeting.attendees],
        }
        return render(request, "simulator/meeting.html", context)


LOBBY_TEXTS = {
    "everyone": "No one: everyone joins directly",
    "organization": "People from outside the organization",
    "organizationAndFederated": "People from outside the organization and its partners",
    "organizationExcludingGuests": "Guests and people from outside the organization",
    "invited": "People who weren't invited",
    "organizer": "Everyone except the organizer",
}


def _attendee_row(meeting: Meeting, attendee: dict[str, Any]) -> dict[str, str]:
    user = (attendee.get("identity") or {}).get("user") or {}
    fallback = attendee.get("upn") or user.get("displayName") or "Unnamed participant"
    return {"name": _display_name(meeting.tenant_id, user.get("id"), fallback), "role": attendee["role"]}
