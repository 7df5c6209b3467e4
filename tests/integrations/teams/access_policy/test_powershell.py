"""PowerShell for a Microsoft administrator to run."""

from __future__ import annotations

import pytest
from django.utils import translation

from integrations.teams.access_policy.powershell import policy_script

SAM_ID = "5a300000-0000-4000-8000-000000000001"
BEN_ID = "be300000-0000-4000-8000-000000000002"


def test_the_script_grants_a_policy_or_extends_an_existing_one(settings):
    settings.MICROSOFT_CLIENT_ID = "c11e4700-0000-4000-8000-000000000003"

    assert (
        policy_script([SAM_ID, BEN_ID])
        == f"""\
# Lets Coconut make Microsoft Teams meetings for the users below. It may be run again.
# Run it in PowerShell as a Teams administrator; once before: Install-Module MicrosoftTeams
# Who has an Application Access Policy already keeps it, and Coconut is added to it.
Connect-MicrosoftTeams
$app = "c11e4700-0000-4000-8000-000000000003"
$users = @(
    "{SAM_ID}"
    "{BEN_ID}"
)
if (-not (Get-CsApplicationAccessPolicy -Identity "Coconut" -ErrorAction SilentlyContinue)) {{
    New-CsApplicationAccessPolicy -Identity "Coconut" -AppIds $app
}}
foreach ($user in $users) {{
    $name = "$((Get-CsOnlineUser -Identity $user).ApplicationAccessPolicy)"
    if (-not $name) {{
        Grant-CsApplicationAccessPolicy -PolicyName "Coconut" -Identity $user
    }} elseif ((Get-CsApplicationAccessPolicy -Identity $name).AppIds -notcontains $app) {{
        Set-CsApplicationAccessPolicy -Identity $name -AppIds @{{Add=$app}}
    }}
}}
"""
    )


@pytest.mark.parametrize("text", ['x"; Remove-Everything; "', f"{SAM_ID}\nRemove-Everything", f"{{{SAM_ID}}}", ""])
def test_the_script_contains_only_object_ids(text):
    assert policy_script([text, SAM_ID]) == policy_script([SAM_ID])


def test_duplicates_are_in_the_script_once():
    assert policy_script([SAM_ID, SAM_ID.upper()]) == policy_script([SAM_ID])


def test_without_object_ids_there_is_no_script():
    assert policy_script(["no-guid"]) == ""


def test_a_translation_cannot_end_a_comment(monkeypatch):
    monkeypatch.setattr("integrations.teams.access_policy.powershell._", lambda text: "zwei\nZeilen")

    with translation.override("de"):
        lines = policy_script([SAM_ID]).splitlines()

    assert lines[:4] == ["# zwei Zeilen"] * 3 + ["Connect-MicrosoftTeams"]
