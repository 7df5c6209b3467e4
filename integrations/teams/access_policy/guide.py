"""Instructions for a Microsoft administrator: create a policy and consent."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.utils.translation import gettext as _

from integrations.teams.access_policy.powershell import scripts_for_everyone
from staff.models import Organization

#: Microsoft's description of the procedure.
DOCUMENTATION: Final = "https://learn.microsoft.com/graph/cloud-communication-online-meeting-application-access-policy"


def setup_commands() -> str:
    """Return the scripts for the whole organisation as one text, for emails and letters."""
    return "\n".join(f"# --- {script.label} ---\n{script.code}" for script in scripts_for_everyone())


def admin_letter(organization: Organization) -> str:
    """Return a letter to the Microsoft 365 administrator.

    The letter contains no consent link. The administrator must consent at an admin's screen, which proves that they act
    together.
    """
    return _(
        "Hello,\n\n"
        "%(organization)s wants to make Microsoft Teams meetings for video appointments in Coconut. Please do two "
        "things.\n\n"
        "1. In PowerShell, with the role Teams Administrator or Global Administrator, create or update an Application "
        "Access Policy for the application (client) ID %(client_id)s:\n\n"
        "%(commands)s\n\n"
        "Microsoft describes it here: %(documentation)s\n"
        "It takes up to 30 minutes until a new policy works.\n\n"
        "2. Then consent together with us, at our screen: in Coconut under Settings > Video Calls > Microsoft Teams "
        "you sign in to Microsoft with the role Privileged Role Administrator or Global Administrator and accept "
        "these permissions on behalf of the organisation: OnlineMeetings.ReadWrite.All (make the meetings) and "
        "User.Read.All (find our staff). We also need the Microsoft tenant ID.\n\n"
        "Thank you."
    ) % {
        "organization": organization.name,
        "client_id": settings.MICROSOFT_CLIENT_ID,
        "commands": setup_commands(),
        "documentation": DOCUMENTATION,
    }
