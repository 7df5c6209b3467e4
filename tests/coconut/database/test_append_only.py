"""Append-only tables, with the trigger of the database."""

from __future__ import annotations

from typing import Any, TypeAlias

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction
from django.db.models import RestrictedError
from django.utils import timezone

from appointments.models import AppointmentEvent, AppointmentEventKind
from coconut.database.append_only import erasing, purging
from integrations.models import ConnectionEvent, EventKind
from staff.audit_log.kinds import ROLE_CHANGED
from staff.audit_log.record import record
from tests.factories import make_appointment, make_client, make_connection, make_service

Row: TypeAlias = Any
TABLES = ["integrations.ConnectionEvent", "appointments.AppointmentEvent", "audit_log.AuditEvent"]


@pytest.fixture
def rows(maple, ada, sam) -> dict[str, Row]:
    """A row by Ada in each append-only table."""
    service = make_service(maple, provided_by=(sam,))
    appointment = make_appointment(service, sam, make_client(maple), timezone.now())
    return {
        "integrations.ConnectionEvent": ConnectionEvent.objects.create(
            connection=make_connection(maple), kind=EventKind.RENAMED, actor=ada, params={"old": "A", "new": "B"}
        ),
        "appointments.AppointmentEvent": AppointmentEvent.objects.create(
            appointment=appointment, kind=AppointmentEventKind.CANCELLED, actor=ada, params={"reason": "A move"}
        ),
        "audit_log.AuditEvent": record(ROLE_CHANGED, sam, actor=ada, params={"old": "staff"}),
    }


@pytest.fixture(params=TABLES)
def row(rows, request) -> Row:
    return rows[request.param]


def stored(row: models.Model) -> Row:
    return type(row)._default_manager.get(pk=row.pk)


def update(row: models.Model, **values: Any) -> None:
    with transaction.atomic():
        type(row)._default_manager.filter(pk=row.pk).update(**values)


def test_a_written_row_is_never_changed(row):
    with pytest.raises(IntegrityError, match="is append-only"):
        update(row, kind="noted")

    assert stored(row).kind == row.kind


def test_a_written_row_is_never_deleted(row):
    with pytest.raises(IntegrityError, match="is append-only"), transaction.atomic():
        row.delete()

    assert stored(row) == row


def test_the_table_is_never_truncated(row):
    # PostgreSQL truncates no table that has foreign keys left to check.
    connection.check_constraints()

    with pytest.raises(IntegrityError, match="is append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f'TRUNCATE "{row._meta.db_table}" CASCADE')

    assert stored(row) == row


def test_an_erasure_blanks_the_parameters(row):
    with erasing():
        update(row, params={})

    assert stored(row).params == {}


def test_an_erasure_changes_no_other_column(row):
    with pytest.raises(IntegrityError, match="is append-only"), erasing():
        update(row, params={}, actor=None)

    assert (stored(row).params, stored(row).actor) == (row.params, row.actor)


def test_an_erasure_deletes_nothing(row):
    with pytest.raises(IntegrityError, match="is append-only"), erasing():
        row.delete()


def test_after_an_erasure_the_same_transaction_changes_nothing_more(row):
    with erasing():
        update(row, params={})

    with pytest.raises(IntegrityError, match="is append-only"):
        update(row, params={"old": "C"})


def test_an_erasure_inside_another_leaves_it_in_effect(row):
    with erasing():
        with erasing():
            update(row, params={"old": "C"})
        update(row, params={})

    assert stored(row).params == {}


def test_a_failed_erasure_leaves_the_row_protected(row):
    with pytest.raises(ZeroDivisionError), erasing():
        raise ZeroDivisionError

    with pytest.raises(IntegrityError, match="is append-only"):
        update(row, params={})


def test_a_purge_deletes_rows(row):
    with purging():
        row.delete()

    assert not type(row)._default_manager.exists()


def test_a_purge_changes_no_row(row):
    with pytest.raises(IntegrityError, match="is append-only"), purging():
        update(row, params={})


@pytest.mark.parametrize("table", TABLES)
def test_the_actor_of_a_row_stays(rows, ada, table):
    others = [name for name in TABLES if name != table]
    with purging():
        for other in others:
            apps.get_model(other).objects.all().delete()

    with pytest.raises(RestrictedError):
        ada.delete()
