"""Requests to connect a tenant, for an operator to confirm.

Microsoft may leave out the administrator roles of an account. A sign-in then proves membership in the tenant, but not
the right to consent for it. An operator therefore confirms a tenant that the organisation connects for the first time.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from coconut.isolation import isolated
from integrations.connections.lifecycle import AlreadyConnected
from integrations.messages import Message
from integrations.models import Connection
from integrations.platforms.failures import ErrorKind
from integrations.platforms.values import PlatformError
from integrations.teams.connect import verification
from integrations.teams.connect.request_emails import email_operators, email_outcome
from integrations.teams.connect.session import WizardAnswers
from integrations.teams.connect.store import (
    NotOffered,
    connect_access_policy,
    lock_with_access_policy,
    require_right_to_consent,
)
from integrations.teams.entra.id_token import Identity
from integrations.teams.messages import TeamsMessage
from integrations.teams.models import ConnectionRequest, Method, RequestState, TeamsConnection
from staff.models import Organization, StaffMember


class NotWaiting(Exception):
    """The request has ended. `str()` is a sentence for people."""

    def __init__(self) -> None:
        super().__init__(_("The request no longer waits for a decision, so nothing was changed."))


def needs_confirmation(organization: Organization, answers: WizardAnswers, identity: Identity) -> bool:
    """Return whether the roles are unknown and the organisation connects the tenant for the first time."""
    if identity.directory_roles is not None or answers.connection_id is not None:
        return False
    connected = TeamsConnection.objects.filter(organization=organization, method=Method.ACCESS_POLICY)
    return not connected.filter(tenant_id=answers.tenant_id).exists()


@transaction.atomic
def request_confirmation(
    organization: Organization, actor: StaffMember, answers: WizardAnswers, identity: Identity
) -> ConnectionRequest:
    """Store a request without tokens and email the operators. The same request that already waits is returned instead.

    A waiting request with other facts for the same tenant is cancelled. Raises NotOffered, AlreadyConnected if an admin
    has connected the tenant meanwhile, and PlatformError if another organisation has.
    """
    locked = lock_with_access_policy(organization.pk)
    # The caller has asked without the lock, so a connection may have been stored since.
    if not needs_confirmation(locked, answers, identity):
        raise AlreadyConnected
    require_right_to_consent(locked, identity)
    of_tenant = ConnectionRequest.objects.filter(organization=locked, tenant_id=answers.tenant_id)
    facts = _facts(answers, identity)
    same = of_tenant.waiting().filter(**facts).first()
    if same is not None:
        return same
    of_tenant.overdue().end(RequestState.EXPIRED)
    of_tenant.waiting().end(RequestState.CANCELLED)
    request = ConnectionRequest.objects.create(
        organization=locked, tenant_id=answers.tenant_id, requested_by=actor, **facts
    )
    email_operators(request)
    return request


def _facts(answers: WizardAnswers, identity: Identity) -> dict[str, Any]:
    return {
        "tenant_name": answers.domain[:200],
        "account_oid": identity.oid,
        "account_upn": identity.upn[:320],
        "account_name": identity.name[:300],
        "match_field": answers.match_field,
    }


def confirm_request(request_id: int, operator: StaffMember) -> Connection:
    """Connect the tenant as if Microsoft had sent the roles, and email the admins. Makes calls.

    Raises NotWaiting, AlreadyConnected, and PlatformError if the tenant can't be connected. After a PlatformError, the
    request waits on with the reason.
    """
    request = ConnectionRequest.objects.waiting().select_related("requested_by").filter(pk=request_id).first()
    if request is None:
        raise NotWaiting
    try:
        roles = _read_consented_roles(request)
        return _connect_confirmed(request, operator, roles)
    except NotOffered as problem:
        error = PlatformError(ErrorKind.OPERATOR, Message(TeamsMessage.CONFIRMATION_WITHOUT_ADDON))
        error.__cause__ = problem
    except PlatformError as problem:
        error = problem
    ConnectionRequest.objects.waiting().filter(pk=request_id).update(failure=error.message)
    raise error


def _read_consented_roles(request: ConnectionRequest) -> tuple[str, ...]:
    try:
        return verification.read_roles(str(request.tenant_id))
    except verification.RolesMissing as problem:
        message = Message(TeamsMessage.CONFIRMATION_WITHOUT_CONSENT, {"roles": problem.roles})
        raise PlatformError(ErrorKind.CONNECTION, message) from problem


@transaction.atomic
def _connect_confirmed(request: ConnectionRequest, operator: StaffMember, roles: tuple[str, ...]) -> Connection:
    organization = lock_with_access_policy(request.organization_id)
    # A condition of the UPDATE: of two operators, only one finds the request waiting.
    if not ConnectionRequest.objects.waiting().filter(pk=request.pk).end(RequestState.CONFIRMED, operator):
        raise NotWaiting
    tenant_id = str(request.tenant_id)
    answers = WizardAnswers(tenant_id, request.tenant_name, request.match_field, Method.ACCESS_POLICY)
    identity = Identity(tenant_id, request.account_oid, request.account_upn, request.account_name)
    connection = connect_access_policy(organization, operator, answers, identity, roles, is_confirmed=True)
    email_outcome(request)
    return connection


@transaction.atomic
def decline_request(request_id: int, operator: StaffMember) -> None:
    """Decline the request and email the admins what to do. Raises NotWaiting."""
    _end_waiting(ConnectionRequest.objects.filter(pk=request_id), RequestState.DECLINED, operator)
    email_outcome(ConnectionRequest.objects.get(pk=request_id))


def cancel_request(request: ConnectionRequest, actor: StaffMember) -> None:
    """Cancel the request for an admin of its organisation. Raises NotWaiting."""
    _end_waiting(ConnectionRequest.objects.filter(pk=request.pk), RequestState.CANCELLED, actor)


def _end_waiting(requests: QuerySet[ConnectionRequest], state: RequestState, decided_by: StaffMember) -> None:
    if not ConnectionRequest.objects.waiting().filter(pk__in=requests.values("pk")).end(state, decided_by):
        raise NotWaiting


def expire_requests() -> None:
    """Expire the requests that waited for too long, and email their admins."""
    for request in ConnectionRequest.objects.overdue():
        with isolated(f"Expiring connection request {request.pk}"), transaction.atomic():
            if ConnectionRequest.objects.overdue().filter(pk=request.pk).end(RequestState.EXPIRED):
                email_outcome(request)
