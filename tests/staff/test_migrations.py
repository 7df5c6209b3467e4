"""Migrations keep what was entered, and leave the previous version working."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.migrations import RunPython
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import StateApps

from staff.models import Location
from tests.factories import make_location, make_organization

pytestmark = pytest.mark.django_db
PREVIOUS, MIGRATION = ("staff", "0005_closings"), ("staff", "0006_organization_and_locations")


def test_the_address_of_a_location_becomes_its_street() -> None:
    place = make_location(make_organization())
    with connection.cursor() as cursor:
        cursor.execute("UPDATE staff_location SET address = '120 Main Street, Toronto'")

    copy, apps = _data_migration()
    with connection.schema_editor() as editor:
        copy.code(apps, editor)

    place.refresh_from_db()
    assert place.address == "120 Main Street, Toronto"


def test_a_process_of_the_previous_version_still_adds_locations() -> None:
    organization = make_organization()
    previous = MigrationLoader(connection).project_state(PREVIOUS).apps.get_model("staff", "Location")

    previous.objects.create(organization_id=organization.pk, name="Main Street", address="1 Main St", time_zone="UTC")

    assert Location.objects.active().get().name == "Main Street"


def _data_migration() -> tuple[RunPython, StateApps]:
    """Return the step that copies data, and the models as they are before it."""
    loader = MigrationLoader(connection)
    state = loader.project_state(PREVIOUS)
    for operation in loader.get_migration(*MIGRATION).operations:
        if isinstance(operation, RunPython):
            return operation, state.apps
        operation.state_forwards("staff", state)
    raise AssertionError("The migration copies nothing.")
