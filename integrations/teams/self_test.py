"""Steps of Check connection. Each tests one need of hosting by reading only."""

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
from integrations.teams.access_policy.probe import nonexistent_meeting_url
from integrations.teams.entra import sign_in, user_tokens
from integrations.teams.graph.client import GraphClient
from integrations.teams.graph.errors import bug_error
from integrations.teams.models import Method, TeamsConnection

_StepCheck = Callable[[Connection], str]
# Used if a 429 has no Retry-After.
_PAUSE_SECONDS: Final = 30.0


class _NotApplicable(Exception):
    """A step can't be tried; `str()` says why."""


def check(connection: Connection) -> Iterator[CheckStep]:
    """Run the steps as `VideoPlatform.check` describes."""
    has_failed = False
    for name, check_step in _steps(connection):
        step = (
            CheckStep(name, StepOutcome.NOT_TRIED) if has_failed else _run_step(connection, name, check_step)
        )
        has_failed = has_failed or step.outcome == StepOutcome.FAILED
        yield step


def _steps(connection: Connection) -> Sequence[tuple[str, _StepCheck]]:
    by_account = connection.teams.method == Method.SERVICE_ACCOUNT
    steps: list[tuple[str, _StepCheck]] = [
        (_("Coconut's own registration"), _check_registration),
        (_("Sign-in at Microsoft"), _check_sign_in),
        (_("Permissions"), _check_permissions),
    ]
    if by_account:
        steps.append((_("Service account"), _check_account))
    steps.append((_("Looking up users"), _check_users))
    steps.append((_("Teams meetings"), _check_own_meetings if by_account else _check_host_meetings))
    return steps


def _run_step(connection: Connection, name: str, check_step: _StepCheck) -> CheckStep:
    try:
        return CheckStep(name, StepOutcome.OK, check_step(connection))
    except _NotApplicable as error:
        return CheckStep(name, StepOutcome.NOT_TRIED, str(error))
    except PlatformError as error:
        if error.kind == ErrorKind.THROTTLED:
            pause(connection.pk, error.retry_after or _PAUSE_SECONDS)
        return CheckStep(name, StepOutcome.FAILED, error.sentence, error.request_id)


def _check_registration(connection: Connection) -> str:
    if not sign_in.is_configured():
        sentence = _("Coconut has no app registration at Microsoft any more. Ask your Customer Success Team.")
        raise PlatformError(ErrorKind.OPERATOR, sentence)
    return _("Coconut has an app registration for Microsoft.")


def _check_sign_in(connection: Connection) -> str:
    """Refresh the tokens even if they are valid. Under an access policy, this step names missing roles."""
    try:
        user_tokens.keep_alive(connection)
    except PlatformError as error:
        record_trouble(connection.pk, error)
        raise
    # A refresh doesn't prove that a Graph outage is over. The later steps do.
    if not Connection.objects.filter(pk=connection.pk, trouble_kind=ErrorKind.OUTAGE).exists():
        record_success(connection.pk)
    return _("Microsoft has just renewed it.")


def _check_permissions(connection: Connection) -> str:
    row = TeamsConnection.objects.get(connection=connection)
    needed = sign_in.DELEGATED_PERMISSIONS if row.method == Method.SERVICE_ACCOUNT else sign_in.APP_ROLES
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


def _check_account(connection: Connection) -> str:
    client = GraphClient(connection)
    me = client.request("GET", "/me", params={"$select": "id,userPrincipalName"})
    if not isinstance(me, dict) or me.get("id") != connection.teams.account_oid:
        raise client.unknown_shape("a profile that is not the service account's")
    return str(me.get("userPrincipalName") or connection.teams.account_upn)


def _check_users(connection: Connection) -> str:
    client = GraphClient(connection)
    page = client.request("GET", "/users", params={"$top": "1", "$select": "id"})
    if not isinstance(page, dict) or not isinstance(page.get("value"), list):
        raise client.unknown_shape("a page of users without a list")
    return _("Microsoft lets Coconut look up users.")


def _check_own_meetings(connection: Connection) -> str:
    _query_nonexistent_meeting(connection, "/me", connection.teams.account_oid)
    return _("Microsoft lets Coconut look up the service account's meetings.")


def _check_host_meetings(connection: Connection) -> str:
    """Query the meetings of a staff member who can host, because an app has no meetings."""
    hosts = UserMatch.objects.found().filter(connection=connection, status=MatchStatus.MATCHED)
    match = hosts.select_related("staff").order_by("-enabled", "pk").first()
    if match is None:
        raise _NotApplicable(
            _("Nobody is matched yet, so there is nobody whose meetings could be looked up.")
        )
    try:
        _query_nonexistent_meeting(connection, f"/users/{match.remote_id}", match.remote_id)
    except PlatformError as error:
        sentence = f"{match.staff.name}: {error.sentence}"
        raise PlatformError(error.kind, sentence, request_id=error.request_id) from error
    return _("Microsoft lets Coconut look up the meetings of %(name)s.") % {"name": match.staff.name}


def _query_nonexistent_meeting(connection: Connection, owner: str, oid: str) -> None:
    """Query a meeting that doesn't exist: "not found" means that Coconut may query meetings.

    Raises PlatformError. Meetings can't be listed (learn.microsoft.com/graph/api/onlinemeeting-get).
    """
    if not is_guid(oid):
        raise bug_error()
    url = nonexistent_meeting_url(connection.teams.tenant_id, uuid.UUID(oid))
    try:
        GraphClient(connection).request(
            "GET", f"{owner}/onlineMeetings", params={"$filter": f"JoinWebUrl eq '{url}'"}
        )
    except PlatformError as error:
        if error.kind != ErrorKind.GONE:
            raise
