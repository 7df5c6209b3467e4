"""Render the connection events that only Microsoft Teams has."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext as _

from integrations.teams.models import LobbyPolicy, Method


class TeamsEvent(StrEnum):
    """Codes in the parameters of connection events."""

    LOBBY_CHANGED = "lobby_changed"
    UNKNOWN_ROLES = "unknown_roles"
    TENANT_CONFIRMED = "tenant_confirmed"
    ACCOUNT_RENAMED = "account_renamed"
    ACCOUNT_REPLACED = "account_replaced"


def event_text(code: str, params: Mapping[str, Any]) -> str:
    """Return the sentence about an event."""
    match TeamsEvent(code):
        case TeamsEvent.LOBBY_CHANGED:
            return _("Lobby of new meetings: %(choice)s.") % {"choice": LobbyPolicy(params["policy"]).label}
        case TeamsEvent.UNKNOWN_ROLES:
            sentence = _(
                "Microsoft did not say which administrator roles %(account)s has; the sign-in to the tenant was "
                "accepted as proof."
            )
            return sentence % params
        case TeamsEvent.TENANT_CONFIRMED:
            sentence = _(
                "Microsoft did not say which administrator roles %(account)s has. The Customer Success Team confirmed "
                "the tenant."
            )
            return sentence % params
        case TeamsEvent.ACCOUNT_RENAMED:
            if params["method"] == Method.SERVICE_ACCOUNT:
                return _("The service account is now called %(new)s. It was %(old)s.") % params
            return _("The administrator who consented is now called %(new)s. It was %(old)s.") % params
        case TeamsEvent.ACCOUNT_REPLACED:
            sentence = _(
                "A new account with the same name, %(account)s, is the service account now. Upcoming meetings move to "
                "it; meetings that have begun stay with the former account."
            )
            return sentence % params
