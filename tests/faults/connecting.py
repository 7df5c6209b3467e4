"""Connect and reauthorize without a browser. Runs next to the stack, in its Django."""

from __future__ import annotations

import time
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from appointments.models import Appointment
from coconut.database.append_only import purging
from demo.logins import TENANT_ID
from integrations.connections.lifecycle import add_connection, mark_reauthorized
from integrations.models import Connection
from integrations.teams.connect.store import replace_sign_in
from integrations.teams.entra.token_responses import APP_ROLES, DELEGATED_PERMISSIONS
from integrations.teams.models import Method, TeamsConnection
from staff.models import Organization

SERVICE_ACCOUNT = "coconut-meetings@contoso.example"
ADMINISTRATOR = "gail@contoso.example"


def begin(maple: dict[str, Any], cedar: dict[str, Any]) -> None:
    """Delete all appointments. Connect Maple by its service account and Cedar by an access policy."""
    with purging():
        Appointment.objects.all().delete()
    connect("maple", Method.SERVICE_ACCOUNT, **service_account(**maple))
    administrator = {"account_oid": cedar["oid"], "account_upn": ADMINISTRATOR}
    connect("cedar", Method.ACCESS_POLICY, **administrator, granted=list(APP_ROLES), tokens={})


@transaction.atomic
def connect(slug: str, method: str, **columns: Any) -> None:
    organization = Organization.objects.get(slug=slug)
    connection = add_connection(organization, platform="teams", name="Microsoft Teams", match_field="email", actor=None)
    TeamsConnection.objects.create(
        connection=connection, organization=organization, method=method, tenant_id=TENANT_ID, **columns
    )


@transaction.atomic
def reauthorize(slug: str, tokens: dict[str, Any]) -> None:
    """Store a new sign-in of the service account."""
    connection = Connection.objects.select_for_update().get(organization__slug=slug)
    replace_sign_in(connection.teams, {**service_account(**tokens), "refreshed_at": Now()})
    mark_reauthorized(connection, None)


def service_account(*, oid: str, access_token: str, refresh_token: str) -> dict[str, Any]:
    """Return the columns that a sign-in of the service account fills."""
    tokens = {
        "access_token": access_token,
        "expires_at": time.time() + 3000,
        "refresh_token": refresh_token,
    }
    account = {"account_oid": oid, "account_upn": SERVICE_ACCOUNT, "account_name": "Coconut Meetings"}
    return {**account, "granted": list(DELEGATED_PERMISSIONS), "tokens": tokens}
