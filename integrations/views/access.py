"""Which connection a page is about."""

from __future__ import annotations

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from integrations.models import Connection
from staff.access import current_organization


def connection_or_404(request: HttpRequest, pk: int) -> Connection:
    """The connection, disconnected or not; another organisation's does not exist."""
    return get_object_or_404(Connection, pk=pk, organization=current_organization(request))
