"""PowerShell for a Microsoft administrator to run. The tests check the text, as there is no PowerShell here."""

from __future__ import annotations

import re

import pytest
from django.utils import translation

from integrations.platforms.values import Script
from integrations.teams.access_policy.powershell import scripts_for_everyone, scripts_for_users

SAM_ID = "5a300000-0000-4000-8000-000000000001"
BEN_ID = "be300000-0000-4000-8000-000000000002"
APP_ID = "c11e4700-0000-4000-8000-000000000003"
CLOSING = {"(": ")", "{": "}", "[": "]"}


@pytest.fixture(autouse=True)
def app(settings) -> None:
    settings.MICROSOFT_CLIENT_ID = APP_ID


def all_scripts() -> list[Script]:
    return [*scripts_for_everyone(), *scripts_for_users([SAM_ID, BEN_ID])]


def commands(script: Script) -> str:
    """Return the script without its comments."""
    return "\n".join(line for line in script.code.splitlines() if not line.startswith("#"))


def lines_with(script: Script, cmdlet: str) -> list[str]:
    return [line.strip() for line in commands(script).splitlines() if cmdlet in line]


def unclosed(code: str) -> list[str]:
    """Return the brackets and quotation marks that nothing closes, in order. Strings may hold whole expressions."""
    open_ones: list[str] = []
    for character in code:
        if character == '"':
            open_ones.pop() if open_ones[-1:] == ['"'] else open_ones.append('"')
        elif character in CLOSING:
            open_ones.append(character)
        elif character in CLOSING.values():
            assert CLOSING[open_ones.pop()] == character, code
    return open_ones


def test_there_is_a_script_for_each_task():
    labels = ["Create", "Extend", "Check"]

    assert [script.label for script in scripts_for_everyone()] == labels
    assert [script.label for script in scripts_for_users([SAM_ID])] == labels


@pytest.mark.parametrize("number", range(6))
def test_brackets_and_quotation_marks_are_closed(number):
    assert unclosed(commands(all_scripts()[number])) == []


@pytest.mark.parametrize("number", range(6))
def test_a_script_is_one_block_that_an_error_ends(number):
    first, second, *_between, last = commands(all_scripts()[number]).splitlines()

    assert (first, second.strip(), last) == ("& {", '$ErrorActionPreference = "Stop"', "}")
    assert "SilentlyContinue" not in all_scripts()[number].code


@pytest.mark.parametrize("number", range(6))
def test_a_script_adds_apps_and_removes_none(number):
    code = all_scripts()[number].code

    assert not re.search(r"Remove-|@\{Re|\$null|Set-CsApplicationAccessPolicy(?!.*@\{Add=)", code, re.IGNORECASE)


def test_create_keeps_the_apps_that_the_global_policy_gives_everyone():
    create = scripts_for_users([SAM_ID])[0]

    [apps] = lines_with(create, "$apps = ")
    assert apps.startswith("$apps = @(@($everyone.AppIds) + $app |")
    assert lines_with(create, "New-Cs") == ['New-CsApplicationAccessPolicy -Identity "Coconut" -AppIds $apps']
    assert "foreach ($missing in $apps | Where-Object { $coconut.AppIds -notcontains $_ }) {" in create.code


def test_create_leaves_out_people_with_a_policy_of_their_own_or_of_a_group():
    code = commands(scripts_for_users([SAM_ID])[0])

    policy_of_user = "(Get-CsUserPolicyAssignment -Identity $user -PolicyType ApplicationAccessPolicy).PolicyName"
    grant = 'Grant-CsApplicationAccessPolicy -PolicyName "Coconut" -Identity $user'
    assert f'$name = "$({policy_of_user})"' in code
    assert re.search(rf"if \(-not \$name\) {{\s+{re.escape(grant)}\s+}}", code)


def test_extend_grants_nothing_and_adds_coconut_to_the_policies_that_people_have():
    extend = scripts_for_users([SAM_ID])[1]

    assert lines_with(extend, "Set-Cs") == ["Set-CsApplicationAccessPolicy -Identity $name -AppIds @{Add=$app}"]
    assert not lines_with(extend, "Grant-") + lines_with(extend, "New-")


@pytest.mark.parametrize("scripts", [scripts_for_everyone, lambda: scripts_for_users([SAM_ID])])
def test_check_changes_nothing(scripts):
    cmdlets = set(re.findall(r"\b([A-Z][a-z]+)-Cs", scripts()[2].code))

    assert cmdlets == {"Get"}


def test_create_for_everyone_replaces_no_global_policy_that_has_apps():
    code = commands(scripts_for_everyone()[0])

    guard, grant = code.index("if ($everyone.AppIds) {"), code.index("-Global")
    assert "return" in code[guard:grant]
    assert 'Set-CsApplicationAccessPolicy -Identity Global -AppIds @{Add="' in code[guard:grant]


@pytest.mark.parametrize("text", ['x"; Remove-Everything; "', f"{SAM_ID}\nRemove-Everything", f"{{{SAM_ID}}}", ""])
def test_the_scripts_contain_only_object_ids(text):
    assert scripts_for_users([text, SAM_ID]) == scripts_for_users([SAM_ID])


@pytest.mark.parametrize("client_id", ['"; Remove-Everything; "', "not-a-guid", ""])
def test_a_client_id_that_is_no_guid_is_not_in_the_scripts(settings, client_id):
    settings.MICROSOFT_CLIENT_ID = client_id

    codes = [script.code for script in all_scripts()]
    assert all(client_id not in code for code in codes if client_id)
    assert '$app = ""' in codes[0]


def test_every_guid_in_a_script_is_the_apps_or_a_users():
    found = {guid for script in all_scripts() for guid in re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", script.code)}

    assert found == {APP_ID, SAM_ID, BEN_ID}


def test_duplicates_are_in_the_scripts_once():
    assert scripts_for_users([SAM_ID, SAM_ID.upper()]) == scripts_for_users([SAM_ID])


def test_without_object_ids_there_is_no_script():
    assert scripts_for_users(["no-guid"]) == []


def test_a_translation_cannot_end_a_comment(monkeypatch):
    monkeypatch.setattr("integrations.teams.access_policy.powershell._", lambda text: "zwei\nZeilen")

    with translation.override("de"):
        lines = scripts_for_users([SAM_ID])[0].code.splitlines()

    assert lines[:4] == ["# zwei Zeilen"] * 3 + ["& {"]
