"""The commands erase_client, erase_expired_clients and export_client."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from appointments.models import Client
from tests.appointments.conftest import Maple
from tests.factories import make_client, make_organization
from tests.outbox import send_all

pytestmark = pytest.mark.usefixtures("friday")


def run(command: str, *arguments: str) -> str:
    output = StringIO()
    call_command(command, *arguments, stdout=output)
    return output.getvalue().strip()


def of(client: Client) -> tuple[str, str]:
    return f"--organization={client.organization.slug}", f"--client={client.pk}"


def set_retention(maple: Maple, client: Client) -> None:
    maple.organization.retention_months = 12
    maple.organization.save()
    Client.objects.filter(pk=client.pk).update(created_at=datetime(2020, 1, 1, tzinfo=UTC))


def exists(client: Client) -> bool:
    return Client.objects.filter(pk=client.pk).exists()


def test_a_client_is_erased(maple: Maple) -> None:
    output = run("erase_client", *of(maple.cleo))

    assert output == (
        f"Client {maple.cleo.pk} of Maple Credit Union was erased. Appointments that stay, without the client: 0."
    )
    assert not exists(maple.cleo)


def test_a_dry_run_erases_nothing(maple: Maple) -> None:
    output = run("erase_client", *of(maple.cleo), "--dry-run")

    assert "would be erased" in output
    assert exists(maple.cleo)


@pytest.mark.parametrize("arguments", [[], ["--dry-run"]])
def test_a_client_with_an_upcoming_appointment_is_refused(maple: Maple, arguments: list[str]) -> None:
    maple.book()
    send_all()

    with pytest.raises(CommandError, match="This client has 1 upcoming appointment"):
        run("erase_client", *of(maple.cleo), *arguments)


@pytest.mark.parametrize("command", ["erase_client", "export_client"])
def test_another_organisations_client_is_not_found(maple: Maple, command: str) -> None:
    cedar = make_client(make_organization("Cedar Bank"), "Other Person")

    with pytest.raises(CommandError, match="Maple Credit Union has no client"):
        run(command, "--organization=maple", f"--client={cedar.pk}")


@pytest.mark.parametrize(
    ("command", "arguments"),
    [("erase_client", ["--client=1"]), ("export_client", ["--client=1"]), ("erase_expired_clients", [])],
)
def test_an_unknown_organisation_is_named(db: Any, command: str, arguments: list[str]) -> None:
    with pytest.raises(CommandError, match="There is no organisation “oak”"):
        run(command, "--organization=oak", *arguments)


def test_an_export_is_json(maple: Maple) -> None:
    exported = json.loads(run("export_client", *of(maple.cleo)))

    assert exported["client"]["name"] == "Cleo Brandt"


def test_expired_clients_are_erased(maple: Maple) -> None:
    set_retention(maple, maple.cleo)

    assert run("erase_expired_clients") == "Maple Credit Union: clients erased, after 12 months: 1."
    assert not exists(maple.cleo)


def test_a_dry_run_counts_the_expired_clients(maple: Maple) -> None:
    set_retention(maple, maple.cleo)

    output = run("erase_expired_clients", "--organization=maple", "--dry-run")

    assert output == "Maple Credit Union: clients that would be erased, after 12 months: 1."
    assert exists(maple.cleo)


def test_an_organisation_without_a_retention_period_keeps_its_clients(maple: Maple) -> None:
    assert run("erase_expired_clients") == "Maple Credit Union: keeps its clients, as no retention period is set."
