"""Lobby policy for new meetings."""

from __future__ import annotations

import pytest
from django.http import QueryDict

from integrations.platforms.base import VideoPlatform
from integrations.teams.event_text import event_text
from integrations.teams.models import LobbyPolicy, TeamsConnection
from integrations.teams.platform import Teams

TEAMS: VideoPlatform = Teams()


def choose(connected, answer):
    form = TEAMS.settings_form(connected, QueryDict(f"lobby_policy={answer}"))
    assert form is not None
    return form


def test_clients_wait_by_default(connected):
    form = TEAMS.settings_form(connected)

    assert form is not None
    assert form["lobby_policy"].value() == LobbyPolicy.CLIENTS_WAIT


def test_the_choice_is_stored_and_shown(connected):
    form = choose(connected, "nobody_waits")

    assert form.is_valid()
    change = form.save()
    assert change is not None
    assert event_text(*change) == "Lobby of new meetings: Nobody waits."
    assert TeamsConnection.objects.get().lobby_policy == LobbyPolicy.NOBODY_WAITS


def test_the_same_choice_adds_no_event(connected):
    form = choose(connected, "clients_wait")

    assert form.is_valid()
    assert form.save() is None


@pytest.mark.parametrize("answer", ["", "everybody", "%00", "9" * 5000])
def test_an_unknown_choice_is_refused_with_a_sentence(connected, answer):
    form = choose(connected, answer)

    assert form.errors == {"lobby_policy": ["Choose who waits in the lobby."]}
