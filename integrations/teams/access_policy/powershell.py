"""PowerShell for Application Access Policies: create one, extend those that exist, and check.

Only one policy applies to a user: their own, else their group's, else the Global one
(learn.microsoft.com/graph/cloud-communication-online-meeting-application-access-policy). A granted policy therefore
hides the others, with the apps of other products. No script takes an app away from anyone:

- Policies of users and groups are extended, not replaced.
- A policy that is granted in place of the Global one contains the Global one's apps, too.
- Each script is one block, and an error ends it. Otherwise, a failed read would look like a policy without apps.

Only GUIDs get into the scripts, as anything else could inject code.

`Get-CsUserPolicyAssignment` returns the policy of a user or their group, and nothing for the Global one
(learn.microsoft.com/powershell/module/microsoftteams/get-csuserpolicyassignment). That it takes the type
ApplicationAccessPolicy was seen, not documented; `Get-CsGroupPolicyAssignment` does, on Microsoft's page
"Troubleshoot Teams integration issues for event management". The others are documented, with `@{Add=…}`. From memory:
the Identity of the Global policy reads "Global", and that of another one "Tag:" and its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from integrations.platforms.values import Script

POLICY: Final = "Coconut"
_APP: Final = """\
    $app = "%(app)s"
"""
_FIND_POLICIES: Final = """\
    $policies = @(Get-CsApplicationAccessPolicy)
    $everyone = $policies | Where-Object { $_.Identity -eq "Global" }
    $coconut = $policies | Where-Object { ($_.Identity -replace "^Tag:") -eq "%(policy)s" }
"""
_CREATE_FOR_EVERYONE: Final = (
    _APP
    + _FIND_POLICIES
    + """\
    if ($everyone.AppIds -contains $app) {
        return
    }
    if ($everyone.AppIds) {
        Set-CsApplicationAccessPolicy -Identity Global -AppIds @{Add="%(app)s"}
        return
    }
    if (-not $coconut) {
        New-CsApplicationAccessPolicy -Identity Coconut -AppIds "%(app)s"
    } elseif ($coconut.AppIds -notcontains $app) {
        Set-CsApplicationAccessPolicy -Identity Coconut -AppIds @{Add=$app}
    }
    Grant-CsApplicationAccessPolicy -PolicyName Coconut -Global
"""
)
_EXTEND_ONE: Final = """\
    Set-CsApplicationAccessPolicy -Identity Global -AppIds @{Add="%(app)s"}
"""
_CHECK_EVERYONE: Final = """\
    Get-CsApplicationAccessPolicy | Format-List Identity, AppIds
    Get-CsGroupPolicyAssignment -PolicyType ApplicationAccessPolicy
"""
_CREATE_FOR_USERS: Final = (
    _APP
    + _FIND_POLICIES
    + """\
    $apps = @(@($everyone.AppIds) + $app | Where-Object { $_ } | Select-Object -Unique)
    if ($coconut) {
        foreach ($missing in $apps | Where-Object { $coconut.AppIds -notcontains $_ }) {
            Set-CsApplicationAccessPolicy -Identity "%(policy)s" -AppIds @{Add=$missing}
        }
    } else {
        New-CsApplicationAccessPolicy -Identity "%(policy)s" -AppIds $apps
    }
    foreach ($user in $users) {
        $name = "$((Get-CsUserPolicyAssignment -Identity $user -PolicyType ApplicationAccessPolicy).PolicyName)"
        if (-not $name) {
            Grant-CsApplicationAccessPolicy -PolicyName "%(policy)s" -Identity $user
        }
    }
"""
)
_EXTEND_FOR_USERS: Final = (
    _APP
    + """\
    $names = foreach ($user in $users) {
        (Get-CsUserPolicyAssignment -Identity $user -PolicyType ApplicationAccessPolicy).PolicyName
    }
    foreach ($name in $names | Where-Object { $_ } | Select-Object -Unique) {
        if ((Get-CsApplicationAccessPolicy -Identity $name).AppIds -notcontains $app) {
            Set-CsApplicationAccessPolicy -Identity $name -AppIds @{Add=$app}
        }
    }
"""
)
_CHECK_USERS: Final = (
    _APP
    + _FIND_POLICIES
    + """\
    foreach ($user in $users) {
        $name = "$((Get-CsUserPolicyAssignment -Identity $user -PolicyType ApplicationAccessPolicy).PolicyName)"
        $policy = if ($name) { Get-CsApplicationAccessPolicy -Identity $name } else { $everyone }
        [pscustomobject]@{User=$user; Policy=$policy.Identity; Coconut=($policy.AppIds -contains $app)}
    }
"""
)


def scripts_for_everyone() -> list[Script]:
    """Return scripts for the whole organisation."""
    return [
        _script(
            _("Create"),
            _("Lets Coconut make meetings for everyone who has no policy of their own or of a group."),
            _CREATE_FOR_EVERYONE,
        ),
        _script(
            _("Extend"),
            _("Adds Coconut to a policy that exists. Put its name in the place of Global."),
            _EXTEND_ONE,
        ),
        _script(
            _("Check"),
            _("Shows all policies with their apps, and the groups that have one."),
            _CHECK_EVERYONE,
        ),
    ]


def scripts_for_users(oids: Iterable[str]) -> list[Script]:
    """Return scripts for these users, [] without any. They can be run again."""
    users = _guids(oids)
    if not users:
        return []
    return [
        _script(
            _("Create"),
            _("Grants a policy to the users below who have none of their own or of a group."),
            _CREATE_FOR_USERS,
            users,
        ),
        _script(
            _("Extend"),
            _("Adds Coconut to the policies that the users below or their groups have."),
            _EXTEND_FOR_USERS,
            users,
        ),
        _script(_("Check"), _("Shows the policy of each user, and whether Coconut is in it."), _CHECK_USERS, users),
    ]


def _script(label: str, purpose: str, body: str, users: Sequence[str] = ()) -> Script:
    """Return a script of one block, so that an error ends it even if it is pasted line by line."""
    changes_policies = "Set-Cs" in body
    sentences = (
        purpose,
        _("It takes no app away from anyone and can be run again.") if changes_policies else _("It changes nothing."),
        _("Run it in PowerShell as a Teams administrator; once before: Install-Module MicrosoftTeams"),
    )
    # A line break in a translation must not end the comment.
    comments = [f"# {' '.join(sentence.split())}" for sentence in sentences]
    lines = [
        *comments,
        "& {",
        '    $ErrorActionPreference = "Stop"',
        *_list_of(users),
        "    Connect-MicrosoftTeams | Out-Null",
    ]
    return Script(label, "\n".join(lines) + "\n" + body % {"app": _app_id(), "policy": POLICY} + "}\n")


def _list_of(users: Sequence[str]) -> list[str]:
    if not users:
        return []
    return ["    $users = @(", *(f'        "{user}"' for user in users), "    )"]


def _app_id() -> str:
    """Return Coconut's client ID, "" if the operator entered something else."""
    client_id: str = settings.MICROSOFT_CLIENT_ID
    return client_id if is_guid(client_id) else ""


def _guids(oids: Iterable[str]) -> list[str]:
    """Return the GUIDs, without duplicates, in order."""
    return list(dict.fromkeys(str(UUID(oid)) for oid in oids if is_guid(oid)))


def is_guid(oid: str) -> bool:
    """Return whether the text is an object id in Microsoft's notation."""
    try:
        return str(UUID(oid)) == oid.lower()
    except ValueError:
        return False
