"""The migration of hours until 23:59, which used to mean midnight."""

from __future__ import annotations

from datetime import time
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from staff.models import StaffMember, WorkingHours


@pytest.mark.parametrize(("end", "expected"), [(time(23, 59), time(0)), (time(23, 58), time(23, 58))])
def test_hours_until_the_last_minute_end_at_midnight(end: time, expected: time, sam: StaffMember) -> None:
    [name] = [name for app, name in MigrationLoader(connection).disk_migrations if name.endswith("_closings")]
    hours = WorkingHours.objects.create(staff=sam, weekday=0, start=time(9), end=end)

    import_module(f"staff.migrations.{name}").write_midnight(apps, None)

    hours.refresh_from_db()
    assert hours.end == expected
