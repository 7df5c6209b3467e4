"""Left navigation."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory

from coconut.web.navigation import entries_for, navigation
from integrations.models import ConnectionStatus
from staff.models import Role, StaffMember
from tests.factories import make_connection, make_member, make_operator, make_organization

pytestmark = pytest.mark.django_db

ADMIN = ["Schedule", "Contact Center", "Clients", "Staff", "Services", "Settings"]


def context_for(member: StaffMember | AnonymousUser, path: str = "/schedule/"):
    request = RequestFactory().get(path)
    request.user = member
    return navigation(request)


@pytest.mark.parametrize(
    ("role", "labels"),
    [
        (Role.ADMIN, ADMIN),
        (Role.SCHEDULER, ["Schedule", "Contact Center", "Clients"]),
        (Role.STAFF, ["Schedule", "Staff"]),
    ],
)
def test_each_role_sees_the_pages_that_it_can_open(role: Role, labels: list[str]) -> None:
    member = make_member(make_organization(), role=role)

    assert [entry.label for entry in entries_for(member, "/schedule/")] == labels


@pytest.mark.parametrize(
    ("path", "current"),
    [
        ("/schedule/", ["Schedule"]),
        ("/contact-center/booked/7/", ["Contact Center"]),
        ("/staff/7/profile/", ["Staff"]),
        ("/settings/video-calls/", ["Settings"]),
        ("/settingsx/", []),
        ("/", []),
    ],
)
def test_the_entry_of_the_open_page_is_marked(path: str, current: list[str]) -> None:
    ada = make_member(make_organization(), "Ada Lovell", Role.ADMIN)

    assert [entry.label for entry in entries_for(ada, path) if entry.is_current] == current


def test_a_visitor_has_no_navigation() -> None:
    assert context_for(AnonymousUser()) == {"navigation_entries": [], "broken_connections": []}


def test_an_operator_has_no_navigation() -> None:
    assert context_for(make_operator()) == {"navigation_entries": [], "broken_connections": []}


def test_an_admin_sees_only_broken_connections_of_the_own_organisation() -> None:
    maple, cedar = make_organization(), make_organization("Cedar Bank")
    broken = make_connection(maple, status=ConnectionStatus.NEEDS_REAUTHORIZATION)
    make_connection(cedar, status=ConnectionStatus.NEEDS_REAUTHORIZATION)

    context = context_for(make_member(maple, "Ada Lovell", Role.ADMIN))

    assert list(context["broken_connections"]) == [broken]


@pytest.mark.parametrize("status", [ConnectionStatus.CONNECTED, ConnectionStatus.DISCONNECTED])
def test_healthy_connections_give_no_banner(status: ConnectionStatus) -> None:
    maple = make_organization()
    make_connection(maple, status=status, is_default=False)

    context = context_for(make_member(maple, "Ada Lovell", Role.ADMIN))

    assert list(context["broken_connections"]) == []


@pytest.mark.parametrize("role", [Role.SCHEDULER, Role.STAFF])
def test_only_admins_see_broken_connections(role: Role) -> None:
    maple = make_organization()
    make_connection(maple, status=ConnectionStatus.NEEDS_REAUTHORIZATION)

    assert list(context_for(make_member(maple, role=role))["broken_connections"]) == []


def test_a_page_without_a_banner_makes_no_query_for_it(django_assert_num_queries) -> None:
    ada = make_member(make_organization(), "Ada Lovell", Role.ADMIN)

    with django_assert_num_queries(0):
        context_for(ada)
