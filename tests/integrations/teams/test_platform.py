"""Microsoft Teams as a `VideoPlatform`."""

from __future__ import annotations

import pytest
from django.urls import reverse

from integrations.models import DirectoryState, HostPermission
from integrations.platforms.base import VideoPlatform
from integrations.platforms.registry import all_platforms, platform_of
from integrations.platforms.values import Account, Attendee, Capacity, CapacityWindow, MatchReason
from integrations.teams.models import Method
from integrations.teams.platform import Teams
from tests.factories import SERVICE_ACCOUNT_ID, TENANT_ID, make_match, make_member

SAM_ID = "5a300000-0000-4000-8000-000000000001"
TEAMS: VideoPlatform = Teams()


@pytest.fixture
def by_policy(connected):
    connected.teams.method = Method.ACCESS_POLICY
    return connected


@pytest.fixture
def match(connected, maple):
    return make_match(connected, make_member(maple), remote_id=SAM_ID, remote_user_name="sam@contoso.example")


def unmatched(match, reason, hint=""):
    match.reason, match.hint = reason, hint
    return match


def test_teams_registers_itself(connected):
    assert isinstance(platform_of(connected), Teams)
    assert [platform.slug for platform in all_platforms()] == ["teams"]


def test_it_is_offered_to_organisations_with_the_add_on(maple):
    offered = TEAMS.is_offered_to(maple)
    maple.addons = []

    assert (offered, TEAMS.is_offered_to(maple)) == (True, False)


@pytest.mark.parametrize(
    ("method", "remedy"),
    [(Method.SERVICE_ACCOUNT, "Application Access Policy"), (Method.ACCESS_POLICY, "Reassign")],
)
def test_the_capacity_remedy_depends_on_the_method(connected, method, remedy):
    connected.teams.method = method

    assert TEAMS.capacity == Capacity(2000, CapacityWindow.MONTH)
    assert remedy in TEAMS.capacity_remedy(connected)


def test_connect_starts_at_the_first_page_of_the_wizard():
    assert TEAMS.connect_url() == reverse("teams-policy")


def test_the_account_has_method_and_tenant(connected):
    assert TEAMS.account(connected) == Account(
        "Coconut Meetings",
        "coconut-meetings@contoso.example",
        (
            ("Method", "Service Account"),
            ("Microsoft tenant", "contoso.example"),
            ("Microsoft Tenant ID", TENANT_ID),
        ),
    )


def test_an_account_without_a_name_has_its_user_name(connected):
    connected.teams.account_name = ""

    assert TEAMS.account(connected).name == "coconut-meetings@contoso.example"


def test_a_service_account_organises_and_the_person_co_organises(connected, match):
    assert TEAMS.organizer_id(connected, match) == SERVICE_ACCOUNT_ID
    assert TEAMS.attendees(connected, match) == (Attendee(SAM_ID, "sam@contoso.example", "coorganizer"),)
    assert TEAMS.needs_host_permission(connected) is False


def test_under_a_policy_the_person_organises(by_policy, match):
    assert TEAMS.organizer_id(by_policy, match) == SAM_ID
    assert TEAMS.attendees(by_policy, match) == ()
    assert TEAMS.needs_host_permission(by_policy) is True


# --- remedies ---------------------------------------------------------------------------------------
def test_a_clean_match_needs_no_remedy(connected, match):
    assert TEAMS.remedy(connected, match) == ""


def test_the_remedy_for_an_alias_is_the_name_behind_it(connected, match):
    match.queried_name = "hugo@maple.example"

    sentence = TEAMS.remedy(connected, unmatched(match, MatchReason.ALIAS, "hugo.martin@maple.example"))

    assert sentence == (
        "Microsoft knows this person as hugo.martin@maple.example. Use that as the email here, or ask a Microsoft "
        "administrator to make hugo@maple.example the name they sign in with (UPN)."
    )


def test_remedies_name_the_field_that_holds_the_upn(connected, match):
    connected.match_field = "username"

    sentence = TEAMS.remedy(connected, unmatched(match, MatchReason.FIELD_EMPTY))

    assert sentence == (
        "This person has no username here. Enter the name they sign in to Microsoft with as the username."
    )


@pytest.mark.parametrize("reason", list(MatchReason))
def test_every_reason_has_a_complete_remedy(connected, match, reason):
    sentence = TEAMS.remedy(connected, unmatched(match, reason, "hint@maple.example"))

    assert len(sentence) > 60
    assert "%" not in sentence


def test_the_remedy_names_several_users(connected, match):
    sentence = TEAMS.remedy(connected, unmatched(match, MatchReason.NOT_FOUND, "a@x.example, b@x.example"))

    assert "more than one user with the address sam@maple.example: a@x.example, b@x.example" in sentence


@pytest.mark.parametrize(
    ("reason", "host_permission"),
    [(MatchReason.NO_HOST_PERMISSION, HostPermission.UNKNOWN), ("", HostPermission.DENIED)],
)
def test_the_remedy_for_a_missing_policy_is_a_script(by_policy, match, reason, host_permission):
    match.host_permission = host_permission

    sentence = TEAMS.remedy(by_policy, unmatched(match, reason))

    assert sentence == (
        "No Application Access Policy lets Coconut make meetings for sam@contoso.example. Ask a Microsoft "
        "administrator to run the commands below in PowerShell, then choose “I ran it”."
    )
    assert all(f'"{SAM_ID}"' in script.code for script in TEAMS.grant_scripts(by_policy, [match.remote_id]))


def test_while_a_policy_spreads_the_remedy_is_to_wait(by_policy, match):
    match.host_permission = HostPermission.WAITING

    sentence = TEAMS.remedy(by_policy, match)

    assert sentence == (
        "Waiting for Microsoft: a new policy takes up to 30 minutes to spread, at times two days. Coconut asks again "
        "automatically and shows here when Microsoft lets it make meetings for sam@contoso.example."
    )


def test_a_match_that_is_being_checked_has_no_remedy(connected, match):
    match.directory, match.queried_name = DirectoryState.UNKNOWN, None

    assert TEAMS.remedy(connected, match) == ""


def test_remedies_make_no_call(connected, match, django_assert_num_queries):
    with django_assert_num_queries(0):
        TEAMS.remedy(connected, unmatched(match, MatchReason.DISABLED))
