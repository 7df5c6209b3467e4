"""PowerShell that grants an Application Access Policy to any number of users."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

POLICY: Final = "Coconut"
# New-, Grant- and Get-CsOnlineUser are documented (learn.microsoft.com/graph/
# cloud-communication-online-meeting-application-access-policy). From memory, and to be verified before relying on it:
# the @{Add=…} of Set-CsApplicationAccessPolicy, and that the policy of a user reads as its name.
_SCRIPT: Final = """\
%(comments)s
Connect-MicrosoftTeams
$app = "%(app)s"
$users = @(
%(users)s
)
if (-not (Get-CsApplicationAccessPolicy -Identity "%(policy)s" -ErrorAction SilentlyContinue)) {
    New-CsApplicationAccessPolicy -Identity "%(policy)s" -AppIds $app
}
foreach ($user in $users) {
    $name = "$((Get-CsOnlineUser -Identity $user).ApplicationAccessPolicy)"
    if (-not $name) {
        Grant-CsApplicationAccessPolicy -PolicyName "%(policy)s" -Identity $user
    } elseif ((Get-CsApplicationAccessPolicy -Identity $name).AppIds -notcontains $app) {
        Set-CsApplicationAccessPolicy -Identity $name -AppIds @{Add=$app}
    }
}
"""


def policy_script(oids: Iterable[str]) -> str:
    """Return a script for a Microsoft administrator, "" without users. It can be run again.

    A user has one policy at a time, and granting another one replaces it. A user's existing policy, perhaps of another
    product, is therefore kept and extended. Only GUIDs get into the script.
    """
    users = [f'    "{guid}"' for guid in _guids(oids)]
    if not users:
        return ""
    params = {"comments": "\n".join(_comments()), "app": settings.MICROSOFT_CLIENT_ID, "policy": POLICY}
    return _SCRIPT % {**params, "users": "\n".join(users)}


def _comments() -> list[str]:
    sentences = (
        _("Lets Coconut make Microsoft Teams meetings for the users below. It may be run again."),
        _("Run it in PowerShell as a Teams administrator; once before: Install-Module MicrosoftTeams"),
        _("Who has an Application Access Policy already keeps it, and Coconut is added to it."),
    )
    # A line break in a translation must not end the comment.
    return [f"# {' '.join(sentence.split())}" for sentence in sentences]


def _guids(oids: Iterable[str]) -> list[str]:
    """Return the GUIDs, without duplicates, in order. Anything else could inject code into the script."""
    return list(dict.fromkeys(str(UUID(oid)) for oid in oids if is_guid(oid)))


def is_guid(oid: str) -> bool:
    """Return whether the text is an object id in Microsoft's notation."""
    try:
        return str(UUID(oid)) == oid.lower()
    except ValueError:
        return False
