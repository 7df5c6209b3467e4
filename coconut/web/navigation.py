"""Left navigation, by role."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from integrations.models import Connection, ConnectionStatus
from staff.models import StaffMember


@dataclass(frozen=True)
class Entry:
    label: str
    url: str
    icon: str
    is_current: bool


# (label, URL name, Bootstrap icon, roles), in the order on the page.
_ENTRIES = [
    ("Schedule", "schedule", "calendar3", {"admin", "scheduler", "staff"}),
    ("Contact Center", "contact-center", "headset", {"admin", "scheduler"}),
    ("Clients", "client-list", "person-lines-fill", {"admin", "scheduler"}),
    ("Staff", "staff-list", "people", {"admin", "staff"}),
    ("Services", "service-list", "briefcase", {"admin"}),
    ("Settings", "settings", "gear", {"admin"}),
]


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Return the template context: `navigation_entries`, and `broken_connections` for admins."""
    member = getattr(request, "user", None)
    if not isinstance(member, StaffMember) or member.organization_id is None:
        return {"navigation_entries": [], "broken_connections": []}
    return {
        "navigation_entries": entries_for(member, request.path),
        "broken_connections": SimpleLazyObject(lambda: _broken_connections(member)),
    }


def entries_for(member: StaffMember, path: str) -> list[Entry]:
    """Return the entries of the member's role. The entry of the page at `path` is current."""
    return [
        Entry(label=_(label), url=url, icon=icon, is_current=path.startswith(url))
        for label, url, icon, roles in ((n, reverse(name), i, r) for n, name, i, r in _ENTRIES)
        if member.role in roles
    ]


def _broken_connections(member: StaffMember) -> list[Connection]:
    if not member.is_admin or member.organization_id is None:
        return []
    return list(
        Connection.objects.filter(organization_id=member.organization_id, status=ConnectionStatus.NEEDS_REAUTHORIZATION)
    )
