"""Email to admins when the Application Access Policy add-on is switched on."""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.core.mail import EmailMessage
from django.dispatch import receiver
from django.urls import reverse
from django.utils.translation import gettext as _

from integrations.teams.access_policy.guide import DOCUMENTATION, setup_commands
from integrations.teams.addons import ACCESS_POLICY
from staff.addons import addon_switched_on
from staff.models import Organization, OutboxEmail, StaffMember
from staff.outbox import EmailKind, enqueue_email


@receiver(addon_switched_on)
def email_admins(organization: Organization, addon: str, **kwargs: Any) -> None:
    """Enqueue an email to each admin when the Application Access Policy add-on was switched on."""
    if addon != ACCESS_POLICY.slug:
        return
    # One email per admin hides the other addresses, and a refused address doesn't stop the other emails.
    for address in StaffMember.objects.admins_of(organization).values_list("email", flat=True):
        enqueue_email(ACCESS_POLICY_EMAIL, to=[address], organization=organization)


def _render_access_policy_email(email: OutboxEmail) -> EmailMessage | None:
    """Return the Application ID and the steps, or None if the add-on was switched off in the meantime."""
    if email.organization is None or not email.organization.has_addon(ACCESS_POLICY.slug):
        return None
    params = {
        "client_id": settings.MICROSOFT_CLIENT_ID,
        "commands": setup_commands(),
        "documentation": DOCUMENTATION,
        "link": f"{settings.BASE_URL}{reverse('video-calls-new')}",
    }
    subject = _("Microsoft Teams: the Application Access Policy method is available")
    return EmailMessage(subject, _email_text() % params)


ACCESS_POLICY_EMAIL: Final = EmailKind("access_policy", _render_access_policy_email)


def _email_text() -> str:
    return _(
        "Coconut can now make Microsoft Teams meetings in the name of each staff member, by an Application Access "
        "Policy in your Microsoft 365.\n\n"
        "The application (client) ID of Coconut is\n\n    %(client_id)s\n\n"
        "What to do:\n\n"
        "1. A Microsoft administrator creates or updates an Application Access Policy for this ID, in PowerShell:\n\n"
        "%(commands)s\n\n"
        "   Microsoft describes it here: %(documentation)s\n\n"
        "2. An admin of Coconut opens the page below, clicks Microsoft Teams and follows the questions. The last step "
        "is a sign-in to Microsoft with the role Privileged Role Administrator or Global Administrator, to accept the "
        "permissions on behalf of your organisation.\n\n"
        "%(link)s\n"
    )
