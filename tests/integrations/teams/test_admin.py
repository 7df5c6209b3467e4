"""Django admin for Teams connections."""

from __future__ import annotations

import pytest
from django.test import Client as Browser
from django.urls import reverse

from integrations.teams.models import TeamsConnection
from tests.factories import make_connection, make_operator, make_organization

pytestmark = pytest.mark.django_db


def test_tenant_and_account_are_shown_and_tokens_are_not(client: Browser) -> None:
    client.force_login(make_operator())
    make_connection(make_organization())
    teams = TeamsConnection.objects.get()

    text = client.get(reverse("admin:teams_teamsconnection_change", args=[teams.pk])).content.decode()

    assert "coconut-meetings@contoso.example" in text
    assert "an-access-token" not in text
    assert "a-refresh-token" not in text


@pytest.mark.parametrize("how_many", [1, 3])
def test_the_list_takes_the_same_number_of_queries(client: Browser, how_many: int, django_assert_num_queries) -> None:
    client.force_login(make_operator())
    for number in range(how_many):
        make_connection(make_organization(f"House{number}"))

    # Session, operator, filtered count, total count, page.
    with django_assert_num_queries(6):
        client.get(reverse("admin:teams_teamsconnection_changelist"))
