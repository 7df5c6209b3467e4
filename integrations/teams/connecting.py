"""The end of a connect: from Microsoft's answer to a connection that is known to work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from integrations.connections import AlreadyConnected, add_connection, revive_connection
from integrations.models import Connection
from integrations.platforms import ErrorKind, PlatformError
from integrations.teams import login, tokens
from integrations.teams.identity import Identity, check_id_token, other_tenant
from integrations.teams.models import Method, TeamsConnection
from integrations.teams.profile import read_account, read_tenant_name
from integrations.teams.tenants import TenantProblem, resolve_tenant
from staff.models import Organization, StaffMember


class NotOffered(Exception):
    """The organisation has no Microsoft Teams add-on; `str()` is the sentence for people."""

    def __init__(self) -> None:
        super().__init__(_("Optional add-on. Please contact your Customer Success Team to get started."))


@dataclass(frozen=True)
class Answers:
    """What the wizard was told: the resolved tenant, the domain if one was typed, and the field with the UPN."""

    tenant_id: str
    domain: str
    match_field: str


@dataclass(frozen=True)
class _Proven:
    """A sign-in that was checked and renewed once."""

    identity: Identity
    tokens: login.Tokens
    tenant_name: str


def connect_service_account(
    organization: Organization,
    actor: StaffMember,
    answers: Answers,
    flow: Mapping[str, Any],
    answer: Mapping[str, str],
) -> Connection:
    """Connect the account that signed in, or revive the connection that it had before.

    `flow` is the attempt's, `answer` the query of the return, whose state must have led to `flow`. Nothing is stored
    before Microsoft has proven everything. Raises PlatformError, AlreadyConnected and NotOffered.
    """
    proven = _prove(answers, flow, answer)
    with transaction.atomic():
        # Two returns of one account take turns here; the second finds what the first has made.
        locked = Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
        if not locked.teams_addon:
            raise NotOffered
        known = (
            TeamsConnection.objects.select_related("connection__organization")
            .filter(
                organization=locked,
                method=Method.SERVICE_ACCOUNT,
                tenant_id=proven.identity.tenant_id,
                account_oid=proven.identity.oid,
            )
            .first()
        )
        if known is None:
            return _add(locked, actor, answers, proven)
        return _revive(known, actor, answers, proven)


def _prove(answers: Answers, flow: Mapping[str, Any], answer: Mapping[str, str]) -> _Proven:
    try:
        tenant = resolve_tenant(answers.tenant_id)
    except TenantProblem as problem:
        raise PlatformError(ErrorKind.CONNECTION, str(problem)) from problem
    first, id_token = login.redeem(tenant.id, flow, answer)
    identity = check_id_token(id_token, tenant, flow)
    _require_permissions(first)
    # A refresh token that does not work would only show in an hour.
    renewed = login.refresh(tenant.id, first.refresh_token)
    account = read_account(renewed.access_token)
    if account.oid != identity.oid:
        raise other_tenant()
    shown = Identity(tenant.id, identity.oid, account.upn or identity.upn, account.name or identity.name)
    return _Proven(shown, renewed, read_tenant_name(renewed.access_token) or answers.domain)


def _require_permissions(issued: login.Tokens) -> None:
    missing = [name for name in login.PERMISSIONS if name not in issued.granted]
    if missing:
        sentence = _("Microsoft did not grant %(permissions)s. Accept all permissions that Coconut asks for.")
        raise PlatformError(ErrorKind.CONNECTION, sentence % {"permissions": ", ".join(missing)})


def _add(organization: Organization, actor: StaffMember, answers: Answers, proven: _Proven) -> Connection:
    connection = add_connection(
        organization, platform="teams", name="Microsoft Teams", match_field=answers.match_field, actor=actor
    )
    TeamsConnection.objects.create(
        connection=connection,
        organization=organization,
        method=Method.SERVICE_ACCOUNT,
        tenant_id=proven.identity.tenant_id,
        account_oid=proven.identity.oid,
        **_columns(proven),
    )
    return connection


def _revive(known: TeamsConnection, actor: StaffMember, answers: Answers, proven: _Proven) -> Connection:
    connection = known.connection
    if connection.is_live:
        raise AlreadyConnected
    revive_connection(connection, match_field=answers.match_field, actor=actor)
    TeamsConnection.objects.filter(pk=known.pk).update(
        token_version=F("token_version") + 1,
        refresh_lease=None,
        refresh_lease_until=None,
        **_columns(proven),
    )
    return connection


def _columns(proven: _Proven) -> dict[str, Any]:
    return {
        "tenant_name": proven.tenant_name[:200],
        "account_upn": proven.identity.upn[:320],
        "account_name": proven.identity.name[:300],
        **tokens.store(proven.tokens),
    }
