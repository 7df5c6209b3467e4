"""Steps of Check connection. Each tests one need of hosting by reading only."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from integrations.circuit_breaker import pause, pause_organizer, record_success, record_trouble
from integrations.connections.lifecycle import require_reauthorization
from integrations.messages import Message
from integrations.models import Connection, MatchStatus, UserMatch
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import CheckStep, ErrorScope, PlatformError, StepOutcome
from integrations.teams import account
from integrations.teams.access_policy.powershell import is_guid
from integrations.teams.access_policy.probe import nonexistent_meeting_url
from integrations.teams.entra import sign_in, user_tokens
from integrations.teams.entra.token_responses import APP_ROLES, DELEGATED_PERMISSIONS
from integrations.teams.graph.client import GraphClient
from integrations.teams.graph.errors import bug_error
from integrations.teams.graph.me import licence_warning
from integrations.teams.messages import TeamsMessage
from integrations.teams.models import Method, TeamsConnection

_StepCheck = Callable[[Connection], Message]
# Used if a 429 has no Retry-After.
_PAUSE_SECONDS: Final = 30.0


class _NotApplicable(Exception):
    """A step can't be tried, for the reason in `message`."""

    def __init__(self, message: Message) -> None:
        super().__init__(message)
        self.message = message


class _MayNotWork(Exception):
    """A step found what may keep people from hosting, as `message` says."""

    def __init__(self, message: Message) -> None:
        super().__init__(message)
        self.message = message


def check(connection: Connection) -> Iterator[CheckStep]:
    """Run the steps as `VideoPlatform.check` describes."""
    has_failed = False
    for code, check_step in _steps(connection):
        name = Message(code)
        step = CheckStep(name, StepOutcome.NOT_TRIED) if has_failed else _run_step(connection, name, check_step)
        has_failed = has_failed or step.outcome == StepOutcome.FAILED
        yield step


def _steps(connection: Connection) -> Sequence[tuple[TeamsMessage, _StepCheck]]:
    by_account = connection.teams.method == Method.SERVICE_ACCOUNT
    steps: list[tuple[TeamsMessage, _StepCheck]] = [
        (TeamsMessage.REGISTRATION_STEP, _check_registration),
        (TeamsMessage.SIGN_IN_STEP, _check_sign_in),
        (TeamsMessage.PERMISSIONS_STEP, _check_permissions),
    ]
    if by_account:
        steps.append((TeamsMessage.ACCOUNT_STEP, _check_account))
        steps.append((TeamsMessage.LICENCE_STEP, _check_licence))
    steps.append((TeamsMessage.USERS_STEP, _check_users))
    steps.append((TeamsMessage.MEETINGS_STEP, _check_own_meetings if by_account else _check_host_meetings))
    return steps


def _run_step(connection: Connection, name: Message, check_step: _StepCheck) -> CheckStep:
    try:
        return CheckStep(name, StepOutcome.OK, check_step(connection))
    except _NotApplicable as error:
        return CheckStep(name, StepOutcome.NOT_TRIED, error.message)
    except _MayNotWork as warning:
        return CheckStep(name, StepOutcome.WARNING, warning.message)
    except PlatformError as error:
        if error.kind == ErrorKind.THROTTLED and error.scope == ErrorScope.CONNECTION:
            pause(connection.pk, error.retry_after or _PAUSE_SECONDS)
        # A check isn't repeated automatically, as the error's own message would say.
        unusable = Message(TeamsMessage.CHECK_WITHOUT_USABLE_ANSWER)
        message = unusable if error.kind == ErrorKind.UNUSABLE else error.message
        return CheckStep(name, StepOutcome.FAILED, message, error.request_id)


def _check_registration(connection: Connection) -> Message:
    if not sign_in.is_configured():
        raise PlatformError(ErrorKind.OPERATOR, Message(TeamsMessage.REGISTRATION_MISSING))
    return Message(TeamsMessage.REGISTRATION_FOUND)


def _check_sign_in(connection: Connection) -> Message:
    """Refresh the tokens even if they are valid. Under an access policy, this step names missing roles."""
    try:
        user_tokens.keep_alive(connection)
    except PlatformError as error:
        record_trouble(connection.pk, error)
        raise
    # A refresh doesn't prove that a Graph outage is over. The later steps do.
    if not Connection.objects.filter(pk=connection.pk, trouble_kind=ErrorKind.OUTAGE).exists():
        record_success(connection.pk)
    return Message(TeamsMessage.SIGN_IN_RENEWED)


def _check_permissions(connection: Connection) -> Message:
    row = TeamsConnection.objects.get(connection=connection)
    needed = DELEGATED_PERMISSIONS if row.method == Method.SERVICE_ACCOUNT else APP_ROLES
    missing = [name for name in needed if not row.has(name)]
    if not missing:
        return Message(TeamsMessage.PERMISSIONS_GRANTED, {"permissions": list(needed)})
    reason = Message(TeamsMessage.PERMISSIONS_MISSING, {"permissions": missing})
    guarded = Connection.objects.filter(pk=connection.pk, teams__token_version=row.token_version)
    require_reauthorization(guarded, reason)
    raise PlatformError(ErrorKind.CONNECTION, reason)


def _check_account(connection: Connection) -> Message:
    profile = account.read_account(connection)
    names = {"account": profile.upn or connection.teams.account_upn}
    if profile.is_guest:
        raise PlatformError(ErrorKind.PERSON, Message(TeamsMessage.GUEST_ACCOUNT, names))
    return Message(TeamsMessage.ACCOUNT_NAME, names)


def _check_licence(connection: Connection) -> Message:
    """Read the account's licences. Only a warning may follow, as a refusal says nothing about the sign-in."""
    upn = TeamsConnection.objects.values_list("account_upn", flat=True).get(connection=connection)
    warning = licence_warning(user_tokens.access_token(connection), upn)
    if warning:
        raise _MayNotWork(warning)
    return Message(TeamsMessage.LICENCE_FOUND)


def _check_users(connection: Connection) -> Message:
    client = GraphClient(connection)
    page = client.request("GET", "/users", params={"$top": "1", "$select": "id"})
    if not isinstance(page, dict) or not isinstance(page.get("value"), list):
        raise client.unknown_shape("a page of users without a list")
    return Message(TeamsMessage.USERS_FOUND)


def _check_own_meetings(connection: Connection) -> Message:
    _query_nonexistent_meeting(connection, "/me", connection.teams.account_oid)
    return Message(TeamsMessage.OWN_MEETINGS_FOUND)


def _check_host_meetings(connection: Connection) -> Message:
    """Query the meetings of a staff member who can host, because an app has no meetings."""
    hosts = UserMatch.objects.found().filter(connection=connection, status=MatchStatus.MATCHED)
    match = hosts.select_related("staff").order_by("-enabled", "pk").first()
    if match is None:
        raise _NotApplicable(Message(TeamsMessage.NOBODY_MATCHED))
    try:
        _query_nonexistent_meeting(connection, f"/users/{match.remote_id}", match.remote_id)
    except PlatformError as error:
        if error.kind == ErrorKind.THROTTLED:
            pause_organizer(connection.pk, match.remote_id, error.retry_after or _PAUSE_SECONDS, error.scope)
        params = {"name": match.staff.name, "reason": error.message.as_json()}
        reason = Message(TeamsMessage.HOST_REFUSED, params)
        raise PlatformError(
            error.kind, reason, request_id=error.request_id, retry_after=error.retry_after, scope=error.scope
        ) from error
    return Message(TeamsMessage.HOST_MEETINGS_FOUND, {"name": match.staff.name})


def _query_nonexistent_meeting(connection: Connection, owner: str, oid: str) -> None:
    """Query a meeting that doesn't exist: "not found" means that Coconut may query meetings.

    Raises PlatformError. Meetings can't be listed (learn.microsoft.com/graph/api/onlinemeeting-get).
    """
    if not is_guid(oid):
        raise bug_error()
    url = nonexistent_meeting_url(connection.teams.tenant_id, uuid.UUID(oid))
    try:
        GraphClient(connection).request("GET", f"{owner}/onlineMeetings", params={"$filter": f"JoinWebUrl eq '{url}'"})
    except PlatformError as error:
        if error.kind != ErrorKind.GONE:
            raise
