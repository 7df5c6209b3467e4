"""Runs of the connect wizard and of Reauthorize, in the session.

Each pass through the questions is a run of its own, so that two tabs can't change each other's answers. The id of a run
is in the address of its pages.
"""

from __future__ import annotations

import secrets
from typing import Any, Final

from django.contrib.sessions.backends.base import SessionBase
from django.urls import reverse
from django.utils.translation import gettext as _

_RUNS_KEY: Final = "teams_runs"
#: Abandoned runs are left over, so only the most recently used ones are kept.
MAX_RUNS: Final = 5
RUN_PARAMETER: Final = "run"


class RunExpired(Exception):
    """The session doesn't hold this run. `str()` is a sentence for people."""

    def __init__(self) -> None:
        super().__init__(_("Your answers on the last page are no longer stored. Please answer the questions again."))


def start_run(session: SessionBase, **answers: str) -> str:
    """Store a new run with these answers. Return its id."""
    run = secrets.token_urlsafe(9)
    _write_run(session, run, {"answers": answers})
    return run


def answers_of(session: SessionBase, run: str) -> dict[str, str]:
    """Return the answers of a run so far, none if `run` is empty. Raises RunExpired.

    The keys are `method`, `match_field`, `tenant` (as typed) and `acknowledged`. A run of Reauthorize has `connection`.
    """
    if not run:
        return {}
    return dict(_read_run(session, run)["answers"])


def save_answers(session: SessionBase, run: str, **answers: str) -> str:
    """Add answers to a run, or to a new one if `run` is empty. Return its id. Raises RunExpired.

    The answers stay when the admin returns from Microsoft without a connection.
    """
    if not run:
        return start_run(session, **answers)
    entry = _read_run(session, run)
    _write_run(session, run, {**entry, "answers": {**entry["answers"], **answers}})
    return run


def end_run(session: SessionBase, run: str) -> None:
    """Drop a run with its answers and its consent."""
    session[_RUNS_KEY] = {key: entry for key, entry in _runs(session).items() if key != run}


def latest_wizard_run(session: SessionBase) -> str:
    """Return the wizard's run that was used last and has reached the last question, "" if there is none."""
    reached = [run for run, entry in _runs(session).items() if "match_field" in entry["answers"]]
    return reached[-1] if reached else ""


def save_consent(session: SessionBase, run: str, consent: dict[str, Any]) -> None:
    """Store the consent of a run, ready for JSON."""
    _write_run(session, run, {**_runs(session).get(run, {"answers": {}}), "consent": consent})


def consent_of(session: SessionBase, run: str) -> dict[str, Any] | None:
    """Return what `save_consent` stored for the run, or None."""
    consent: dict[str, Any] | None = _runs(session).get(run, {}).get("consent")
    return consent


def page_of_run(url_name: str, run: str) -> str:
    """Return the address of a page, for this run. Without a run, the page starts a new one."""
    return reverse(url_name, query={RUN_PARAMETER: run} if run else None)


def _runs(session: SessionBase) -> dict[str, dict[str, Any]]:
    """Return the runs by id, least recently used first."""
    runs: dict[str, dict[str, Any]] = session.get(_RUNS_KEY, {})
    return runs


def _read_run(session: SessionBase, run: str) -> dict[str, Any]:
    try:
        return _runs(session)[run]
    except KeyError:
        raise RunExpired from None


def _write_run(session: SessionBase, run: str, entry: dict[str, Any]) -> None:
    others = [(key, other) for key, other in _runs(session).items() if key != run]
    session[_RUNS_KEY] = dict([*others, (run, entry)][-MAX_RUNS:])
