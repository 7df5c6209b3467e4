"""Names that tell connections apart."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from integrations.connections.lifecycle import add_connection
from integrations.connections.names import NameTaken, rename_connection
from integrations.event_text import event_text
from integrations.models import Connection
from staff.models import Organization
from tests.factories import make_connection, make_member, make_organization
from tests.integrations.concurrency import at_once

pytestmark = pytest.mark.django_db


def test_a_new_name_is_noted_with_the_old_one(maple: Organization) -> None:
    connection, ada = make_connection(maple), make_member(maple, "Ada Lovell")

    rename_connection(connection, "Branches", ada)

    connection.refresh_from_db()
    event = connection.events.get()
    assert connection.name == "Branches"
    assert (event.kind, event.actor) == ("renamed", ada)
    assert event_text(event) == "Microsoft Teams is called Branches now."


@pytest.mark.parametrize(("taken", "name"), [("Kent", "\u212aent"), ("iris", "\u0130ris"), ("Kent", "KENT")])
def test_a_name_that_the_constraint_calls_the_same_is_taken(
    maple: Organization, taken: str, name: str
) -> None:
    make_connection(maple, name=taken)
    second = make_connection(maple, "another-oid", name="Other", is_default=False)

    with pytest.raises(NameTaken):
        rename_connection(second, name, None)

    second.refresh_from_db()
    assert second.name == "Other"


def test_the_same_name_is_no_news(maple: Organization) -> None:
    connection = make_connection(maple)

    rename_connection(connection, "Microsoft Teams", None)

    assert connection.events.count() == 0


def test_only_the_case_of_a_name_may_change(maple: Organization) -> None:
    connection = make_connection(maple)

    rename_connection(connection, "microsoft teams", None)

    assert Connection.objects.get().name == "microsoft teams"


@pytest.mark.parametrize("status", ["connected", "disconnected"])
def test_a_name_that_another_has_is_refused_without_case(maple: Organization, status: str) -> None:
    make_connection(maple, name="Branches", status=status, is_default=False)
    connection = make_connection(maple, "another account")

    with pytest.raises(NameTaken, match=r"^Another integration has this name."):
        rename_connection(connection, "BRANCHES", None)

    connection.refresh_from_db()
    assert connection.name == "Microsoft Teams 2"


def test_another_organisations_names_are_free(maple: Organization) -> None:
    make_connection(make_organization("Cedar Bank"), name="Branches")
    connection = make_connection(maple)

    rename_connection(connection, "Branches", None)

    assert Connection.objects.filter(name="Branches").count() == 2


def test_the_database_refuses_a_name_twice(maple: Organization) -> None:
    make_connection(maple, name="Branches")

    with pytest.raises(IntegrityError, match="connection_name_once_per_organization"), transaction.atomic():
        make_connection(maple, "another account", name="branches", is_default=False)


def test_a_new_connection_finds_a_free_name_whatever_the_others_were_renamed_to(maple: Organization) -> None:
    rename_connection(make_connection(maple), "MICROSOFT TEAMS", None)

    added = add_connection(maple, platform="teams", name="Microsoft Teams", match_field="email", actor=None)

    assert added.name == "Microsoft Teams 2"


@pytest.mark.django_db(transaction=True)
def test_of_two_who_choose_a_name_at_once_one_is_refused() -> None:
    maple = make_organization()
    connections = [make_connection(maple, "a"), make_connection(maple, "b", is_default=False)]
    refused: list[NameTaken] = []

    def rename(connection: Connection) -> None:
        try:
            rename_connection(connection, "Branches", None)
        except NameTaken as taken:
            refused.append(taken)

    at_once(*[lambda each=each: rename(each) for each in connections])

    assert len(refused) == 1
    assert Connection.objects.filter(name="Branches").count() == 1
