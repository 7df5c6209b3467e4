"""Pages for people: the tenant page with its buttons, and where a join link leads."""

import datetime as dt
from dataclasses import asdict
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from simulator.controls import CONTROLS, ControlError
from simulator.directory import Person, Tenant
from simulator.faults import KINDS
from simulator.meetings import Meeting
from simulator.people import CONTOSO_ID
from simulator.request_context import base_url
from simulator.store import world

SHOWN_PEOPLE = 100
SHOWN_REQUESTS = 100
# Form fields that are not text.
NUMBERS = frozenset({"count", "ms", "retry_after", "seconds", "delay"})
WORDS = {"true": True, "false": False}


@require_GET
def tenant_page(request: HttpRequest) -> HttpResponse:
    """Everything there is to see and to switch."""
    with world.lock:
        tenants = list(world.directory.tenants.values())
        context = {
            "tenant": world.directory.tenants[CONTOSO_ID],
            "tenants": tenants,
            "client_id": world.registration.client_id,
            "base_url": base_url(request),
            "problem": request.GET.get("problem", ""),
            "rows": [_row(tenant, person) for tenant in tenants for person in tenant.page(0, SHOWN_PEOPLE)],
            "total": sum(len(tenant) for tenant in tenants),
            "consents": _consents(),
            "meetings": [_meeting(meeting) for meeting in reversed(world.book.meetings.values())],
            "faults": world.faults.dump(),
            "kinds": sorted(KINDS),
            "requests": _requests(),
        }
        return render(request, "simulator/tenant.html", context)


def _row(tenant: Tenant, person: Person) -> dict[str, Any]:
    return {
        "person": person,
        "tenant": tenant,
        "personal_policy": person.grant.current(),
        "covered": tenant.is_covered(person, world.registration.client_id),
    }


def _consents() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for tenant_id, given in world.grants.admin.items():
        tenant = world.directory.tenants[tenant_id]
        rows.append({"tenant": tenant, "who": "Everybody (admin)", "granted": given.scopes + given.roles})
    for key, scopes in world.grants.personal.items():
        tenant_id, _, oid = key.partition("/")
        tenant = world.directory.tenants[tenant_id]
        holder = tenant.by_id(oid)
        rows.append({"tenant": tenant, "who": holder.upn if holder else oid, "user": oid, "granted": scopes})
    return rows


def _name_of(tenant_id: str, oid: str | None, fallback: str = "") -> str:
    tenant = world.directory.tenants.get(tenant_id)
    found = tenant.by_id(oid) if tenant is not None and oid else None
    return found.name if found is not None else fallback or str(oid)


def _meeting(meeting: Meeting) -> dict[str, Any]:
    return {"meeting": meeting, "organizer": _name_of(meeting.tenant_id, meeting.organizer_id)}


def _requests() -> list[dict[str, Any]]:
    latest = list(world.requests)[-SHOWN_REQUESTS:]
    return [
        {
            "items": None,
            **entry,
            "clock": dt.datetime.fromtimestamp(entry["time"], dt.UTC).strftime("%H:%M:%S"),
        }
        for entry in reversed(latest)
    ]


@require_POST
def act(request: HttpRequest, name: str) -> HttpResponse:
    """A button of the tenant page: the control of the same name, then the page again."""
    action = CONTROLS.get(name)
    if action is None:
        return HttpResponse("No such control.", status=404)
    data = {key: _value(key, str(value)) for key, value in request.POST.items() if value}
    data.pop("csrfmiddlewaretoken", None)
    problem = ""
    try:
        with world.lock:
            action(world, data)
    except (ControlError, TypeError, ValueError) as error:
        problem = str(error)
    query = {"problem": problem} if problem else None
    return HttpResponseRedirect(reverse("tenant", query=query))


def _value(key: str, text: str) -> Any:
    if key in NUMBERS:
        return int(text)
    return WORDS.get(text, text)


@require_GET
def meeting_page(request: HttpRequest, short_id: str) -> HttpResponse:
    """GET /meet/<id>?p=<passcode>: what a guest sees at the end of a join link."""
    with world.lock:
        meeting = world.book.by_short_id(short_id)
        if meeting is None or request.GET.get("p") != meeting.passcode:
            return render(request, "simulator/meeting.html", {"meeting": None}, status=404)
        if meeting.deleted and world.behaviour.deleted_meetings_return:
            world.book.restore(meeting)
            world.changed()
        lobby = {"scope": "organization", **meeting.options.get("lobbyBypassSettings", {})}
        context = {
            "meeting": asdict(meeting),
            "organizer": _name_of(meeting.tenant_id, meeting.organizer_id),
            "lobby": LOBBY_WORDS.get(lobby["scope"], lobby["scope"]),
            "attendees": [_attendee(meeting, attendee) for attendee in meeting.attendees],
        }
        return render(request, "simulator/meeting.html", context)


LOBBY_WORDS = {
    "everyone": "Nobody: everyone is let in",
    "organization": "Everybody from outside the organization",
    "organizationAndFederated": "Everybody from outside the organization and its partners",
    "organizationExcludingGuests": "Guests and everybody from outside",
    "invited": "Everybody who was not invited",
    "organizer": "Everybody but the organizer",
}


def _attendee(meeting: Meeting, attendee: dict[str, Any]) -> dict[str, str]:
    user = (attendee.get("identity") or {}).get("user") or {}
    fallback = attendee.get("upn") or user.get("displayName") or "Somebody"
    return {"name": _name_of(meeting.tenant_id, user.get("id"), fallback), "role": attendee["role"]}
