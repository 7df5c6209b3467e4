"""Email to admins when the Application Access Policy add-on is switched on."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.dispatch import receiver
from django.urls import reverse
from django.utils.translation import gettext as _

from integrations.teams.access_policy.guide import DOCUMENTATION, setup_commands
from integrations.teams.addons import ACCESS_POLICY
from staff.addons import addon_switched_on
from staff.models import Organization, StaffMember

logger = logging.getLogger(__name__)


@receiver(addon_switched_on)
def email_admins_on_commit(organization: Organization, addon: str, **kwargs: Any) -> None:
    """Email all admins when the Application Access Policy add-on was switched on."""
    if addon == ACCESS_POLICY.slug:
        transaction.on_commit(partial(email_admins, organization), robust=True)


def email_admins(organization: Organization) -> None:
    """Email the Application ID and the steps to each admin. Failures are logged."""
    addresses = list(StaffMember.objects.admins_of(organization).values_list("email", flat=True))
    if not addresses:
        return
    params = {
        "client_id": settings.MICROSOFT_CLIENT_ID,
        "commands": setup_commands(),
        "documentation": DOCUMENTATION,
        "link": f"{settings.BASE_URL}{reverse('video-calls-new')}",
    }
    subject = _("Microsoft Teams: the Application Access Policy method is available")
    # One email per admin hides the other addresses, and a refused address doesn't stop the other emails.
    for address in addresses:
        try:
            EmailMessage(subject, _email_text() % params, to=[address]).send()
        except OSError:
            logger.exception("The add-on email to an admin of organisation %s failed.", organization.pk)


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
