"""Account of a connection. Its object id identifies it; its names follow Microsoft's."""

from __future__ import annotations

from django.db import transaction

from integrations.events import record_event
from integrations.models import Connection, EventKind
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams.event_text import TeamsEvent
from integrations.teams.graph.client import GraphClient
from integrations.teams.graph.me import PROFILE_FIELDS, AccountProfile, parse_profile
from integrations.teams.graph.paths import segment
from integrations.teams.models import Method, TeamsConnection


def refresh_account(connection: Connection) -> None:
    """Store the account's present names. Makes a call. Raises PlatformError.

    Under an access policy, the account is the administrator who consented. If that one left the tenant, the consent
    stays valid, and so do the stored names.
    """
    try:
        read_account(connection)
    except PlatformError as error:
        if error.kind != ErrorKind.PERSON:
            raise


def read_account(connection: Connection) -> AccountProfile:
    """Return the profile of the account, and store its names if they changed. Makes a call. Raises PlatformError."""
    client, teams = GraphClient(connection), TeamsConnection.objects.get(connection=connection)
    path = "/me" if teams.method == Method.SERVICE_ACCOUNT else f"/users/{segment(teams.account_oid)}"
    profile = parse_profile(client.request("GET", path, params={"$select": PROFILE_FIELDS}))
    if profile is None or profile.oid != teams.account_oid:
        raise client.unknown_shape("a profile that is not the account's")
    if profile.upn and _names_of(profile) != (teams.account_upn, teams.account_name):
        _store_names(connection, profile)
    return profile


@transaction.atomic
def _store_names(connection: Connection, profile: AccountProfile) -> None:
    """Store the names and record the change, unless the connection has another account since."""
    Connection.objects.lock(connection.pk)
    teams = TeamsConnection.objects.filter(connection=connection, account_oid=profile.oid).first()
    if teams is None or _names_of(profile) == (teams.account_upn, teams.account_name):
        return
    old = account_label(teams)
    teams.account_upn, teams.account_name = _names_of(profile)
    teams.save(update_fields=["account_upn", "account_name"])
    params = {"method": teams.method, "old": old, "new": account_label(teams)}
    record_event(connection, EventKind.NOTED, None, code=TeamsEvent.ACCOUNT_RENAMED, **params)


def _names_of(profile: AccountProfile) -> tuple[str, str]:
    """Return user name and display name as the columns hold them."""
    return profile.upn[:320], profile.name[:300]


def account_label(teams: TeamsConnection) -> str:
    """Return the names of the account, such as "Coconut Meetings (meetings@contoso.com)"."""
    return f"{teams.account_name} ({teams.account_upn})" if teams.account_name else teams.account_upn
