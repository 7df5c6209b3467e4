"""Migrations leave the previous version working while old and new processes run side by side."""

from __future__ import annotations

from django.db import connection
from django.db.migrations.loader import MigrationLoader

from appointments.models import Appointment
from tests.appointments.conftest import Maple, monday
from tests.factories import make_appointment


def test_a_process_without_the_new_columns_still_books_after_the_migration(maple: Maple) -> None:
    now = make_appointment(maple.review, maple.sam, maple.cleo, monday(9))
    previous = MigrationLoader(connection).project_state(("appointments", "0004_notifications_share_an_email"))
    model = previous.apps.get_model("appointments", "Appointment")
    values = model.objects.filter(pk=now.pk).values().get()

    for hour in (11, 13):
        times = {"starts_at": monday(hour), "ends_at": monday(hour, 30)}
        busy = {"busy_from": times["starts_at"], "busy_to": times["ends_at"]}
        tokens = {"manage_token": f"manage-{hour}", "join_token": f"join-{hour}"}
        model.objects.create(**{**values, "id": None, **times, **busy, **tokens})

    booked = Appointment.objects.exclude(pk=now.pk)
    assert len(set(booked.values_list("public_id", flat=True))) == 2
    assert len(set(booked.values_list("staff_join_token", flat=True))) == 2
