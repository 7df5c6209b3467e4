"""The steps of Check connection: what hosting needs of Microsoft, each tried by reading only."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from django.utils.translation import gettext as _

from integrations.circuit_breaker import pause, record_success, record_trouble
from integrations.connections.lifecycle import require_reauthorization
from integrations.models import Connection, MatchStatus, UserMatch
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import CheckStep, PlatformError, StepOutcome
from integrations.teams.access_policy.powershell import is_guid
from integrations.teams.access_policy.probe import link_of_nobody
from integrations.teams.entra import sign_in, user_tokens
from integrations.teams.graph.client import GraphClient
from integrations.teams.graph.errors import bug
from integrations.teams.models import Method, TeamsConnection

_Attempt = Callable[[Connection], str]
_PAUSE_SECONDS: Final = 30.0  # where a 429 does not say how long


class _NothingToTry(Exception):
    """A step has nothing to work with; the text says why."""


def check(connection: Connection) -> Iterator[CheckStep]:
    """See `VideoPlatform.check`."""
    has_failed = False
    for name, attempt in _steps(connection):
        step = CheckStep(name, StepOutcome.NOT_TRIED) if has_failed else _tried(connection, name, attempt)
        has_failed = has_failed or step.outcome == StepOutcome.FAILED
        yield step


def _steps(connection: Connection) -> Sequence[tuple[str, _Attempt]]:
    by_account = connection.teams.method == Method.SERVICE_ACCOUNT
    steps: list[tuple[str, _Attempt]] = [
        (_("Coconut's own registration"), _registration),
        (_("Sign-in at Microsoft"), _sign_in),
        (_("Permissions"), _permissions),
    ]
    if by_account:
        steps.append((_("Service account"), _account))
    steps.append((_("Looking up users"), _users))
    steps.append((_("Teams meetings"), _own_meetings if by_account else _persons_meetings))
    return steps


def _tried(connection: Connection, name: str, attempt: _Attempt) -> CheckStep:
    try:
        return CheckStep(name, StepOutcome.OK, attempt(connection))
    except _NothingToTry as nothing:
        return CheckStep(name, StepOutcome.NOT_TRIED, str(nothing))
    except PlatformError as error:
        if error.kind == ErrorKind.THROTTLED:
            pause(connection.pk, error.retry_after or _PAUSE_SECONDS)
        return CheckStep(name, StepOutcome.FAILED, error.sentence, error.request_id)


def _registration(connection: Connection) -> str:
    if not sign_in.is_configured():
        sentence = _("Coconut has no app registration at Microsoft any more. Ask your Customer Success Team.")
        raise PlatformError(ErrorKind.OPERATOR, sentence)
    return _("Coconut has an app registration for Microsoft.")


def _sign_in(connection: Connection) -> str:
    """New tokens, whatever is left of the present ones. Under an access policy missing roles are named here."""
    try:
        user_tokens.keep_alive(connection)
    except PlatformError as error:
        record_trouble(connection.pk, error)
        raise
    # Of an outage the sign-in says nothing: only the steps that follow tell whether that is over.
    if not Connection.objects.filter(pk=connection.pk, trouble_kind=ErrorKind.OUTAGE).exists():
        record_success(connection.pk)
    return _("Microsoft has just renewed it.")


def _permissions(connection: Connection) -> str:
    row = TeamsConnection.objects.get(connection=connection)
    needed = sign_in.PERMISSIONS if row.method == Method.SERVICE_ACCOUNT else sign_in.ROLES
    missing = [name for name in needed if not row.has(name)]
    if not missing:
        return _("Granted: %(permissions)s.") % {"permissions": ", ".join(needed)}
    sentence = _(
        "Microsoft does not grant %(permissions)s. An admin chooses Actions > Reauthorize on the Microsoft Teams "
        "dashboard and accepts all permissions that Coconut asks for."
    ) % {"permissions": ", ".join(missing)}
    guarded = Connection.objects.filter(pk=connection.pk, teams__token_version=row.token_version)
    require_reauthorization(guarded, sentence)
    raise PlatformError(ErrorKind.CONNECTION, sentence)


def _account(connection: Connection) -> str:
    client = GraphClient(connection)
    me = client.request("GET", "/me", params={"$select": "id,userPrincipalName"})
    if not isinstance(me, dict) or me.get("id") != connection.teams.account_oid:
        raise client.unknown_shape("a profile that is not the service account's")
    return str(me.get("userPrincipalName") or connection.teams.account_upn)


def _users(connection: Connection) -> str:
    client = GraphClient(connection)
    page = client.request("GET", "/users", params={"$top": "1", "$select": "id"})
    if not isinstance(page, dict) or not isinstance(page.get("value"), list):
        raise client.unknown_shape("a page of users without a list")
    return _("Microsoft lets Coconut look up users.")


def _own_meetings(connection: Connection) -> str:
    _look_for_no_meeting(connection, "/me", connection.teams.account_oid)
    return _("Microsoft lets Coconut look up the service account's meetings.")


def _persons_meetings(connection: Connection) -> str:
    """The meetings of somebody who can host, for an app has none of its own."""
    hosts = UserMatch.objects.filter(connection=connection, status=MatchStatus.MATCHED, staff__is_active=True)
    match = hosts.select_related("staff").order_by("-enabled", "pk").first()
    if match is None:
        raise _NothingToTry(_("Nobody is matched yet, so there is nobody whose meetings could be looked up."))
    try:
        _look_for_no_meeting(connection, f"/users/{match.remote_id}", match.remote_id)
    except PlatformError as error:
        named = f"{match.staff.name}: {error.sentence}"
        raise PlatformError(error.kind, named, request_id=error.request_id) from error
    return _("Microsoft lets Coconut look up the meetings of %(name)s.") % {"name": match.staff.name}


def _look_for_no_meeting(connection: Connection, owner: str, oid: str) -> None:
    """Look for a meeting that nobody made: being told that there is none means being allowed to look.

    Raises PlatformError. Meetings cannot be listed (learn.microsoft.com/graph/api/onlinemeeting-get).
    """
    if not is_guid(oid):
        raise bug()
    link = link_of_nobody(connection.teams.tenant_id, uuid.UUID(oid))
    try:
        GraphClient(connection).request(
            "GET", f"{owner}/onlineMeetings", params={"$filter": f"JoinWebUrl eq '{link}'"}
        )
    except PlatformError as error:
        if error.kind != ErrorKind.GONE:
            raise
