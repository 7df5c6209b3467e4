"""Emails about requests to connect a tenant: to operators when one waits, to admins when it has ended."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils.translation import gettext as _

from integrations.teams.models import ConnectionRequest, RequestState
from integrations.teams.operator_mail import enqueue_operator_email, operator_message
from staff.models import OutboxEmail, StaffMember
from staff.outbox import EmailKind, enqueue_email


def email_operators(request: ConnectionRequest) -> None:
    """Enqueue an email to all operators about a new request."""
    enqueue_operator_email(REQUEST_EMAIL, {"request": request.pk})


def email_outcome(request: ConnectionRequest) -> None:
    """Enqueue an email to each admin about a request that was confirmed or declined, or has expired."""
    organization = request.organization
    # One email per admin hides the other addresses, and a refused address doesn't stop the other emails.
    for address in StaffMember.objects.admins_of(organization).values_list("email", flat=True):
        enqueue_email(OUTCOME_EMAIL, to=[address], params={"request": request.pk}, organization=organization)


def _render_request_email(email: OutboxEmail) -> EmailMessage | None:
    """Return None if the request has ended in the meantime."""
    waiting = ConnectionRequest.objects.waiting().select_related("organization", "requested_by")
    request = waiting.filter(pk=email.params["request"]).first()
    if request is None:
        return None
    page = reverse("admin:teams_connectionrequest_decide", args=[request.pk])
    return operator_message(
        f"Confirm the Microsoft tenant of {request.organization.name}",
        f"{request.requested_by.name} ({request.requested_by.email}) wants to connect {request.organization.name} to "
        "a Microsoft tenant. Microsoft did not say whether the account is an administrator.\n\n"
        f"Microsoft Tenant ID: {request.tenant_id}\n"
        f"Typed domain: {request.tenant_name or 'none'}\n"
        f"Microsoft account: {request.account_upn}\n\n"
        f"Check that the tenant belongs to {request.organization.name}, then confirm or decline the request. The page "
        "says how to check. Until then, nothing is connected. The request expires after 7 days.\n\n"
        f"{settings.BASE_URL}{page}",
    )


def _render_outcome_email(email: OutboxEmail) -> EmailMessage | None:
    request = ConnectionRequest.objects.filter(pk=email.params["request"]).first()
    if request is None:
        return None
    subject, body = _outcome_text(RequestState(request.state))
    params = {
        "tenant": request.tenant_name or request.tenant_id,
        "account": request.account_upn,
        "link": f"{settings.BASE_URL}{reverse('video-calls')}",
    }
    return EmailMessage(subject, body % params)


def _outcome_text(state: RequestState) -> tuple[str, str]:
    if state == RequestState.CONFIRMED:
        return _("Microsoft Teams is connected."), _(
            "The Customer Success Team confirmed the Microsoft tenant %(tenant)s, so Microsoft Teams is connected.\n\n"
            "Coconut is matching your staff with Microsoft users. Then turn on Video Calls for them:\n\n%(link)s\n"
        )
    if state == RequestState.EXPIRED:
        return _("The request to connect Microsoft Teams has expired"), _(
            "The request to connect the Microsoft tenant %(tenant)s was not confirmed within 7 days. Nothing was "
            "connected.\n\n"
            "Contact your Customer Success Team, then choose Microsoft Teams on the page below and repeat the steps:"
            "\n\n%(link)s\n"
        )
    return _("The request to connect Microsoft Teams was declined"), _(
        "The Customer Success Team declined the request to connect the Microsoft tenant %(tenant)s with the account "
        "%(account)s. Nothing was connected.\n\n"
        "Check the tenant ID. Then choose Microsoft Teams on the page below and repeat the steps with an account "
        "that has the role Privileged Role Administrator or Global Administrator. If the tenant is the right one, "
        "contact your Customer Success Team first.\n\n%(link)s\n"
    )


REQUEST_EMAIL: Final = EmailKind("teams_request_waiting", _render_request_email)
OUTCOME_EMAIL: Final = EmailKind("teams_request_ended", _render_outcome_email)
