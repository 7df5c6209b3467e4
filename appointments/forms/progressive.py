"""Forms that show, while they are filled in, what each choice leaves."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.http import QueryDict


class ProgressiveForm(forms.Form):
    """Bound where it was sent for good, else holding what was chosen so far. Times are of `zone`."""

    def __init__(self, *args: Any, zone: ZoneInfo, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone

    def picked(self, name: str) -> str:
        """What stands in a field now, whether it was sent for good or only to look at the choices."""
        value = self.data.get(name, "") if self.is_bound else self.initial.get(name, "")
        return str(value or "")


def is_only_looking(sent: QueryDict) -> bool:
    """Whether the form was sent to see other choices: by a button that says so, or by a free time."""
    return "look" in sent or "pick" in sent


def chosen_so_far(sent: QueryDict) -> dict[str, str]:
    """What was typed, with the free time ("2026-12-31T14:30") that was pressed."""
    chosen = {name: value for name, value in sent.items() if isinstance(value, str)}
    day, separator, at = chosen.get("pick", "").partition("T")
    return chosen | {"date": day, "time": at} if separator else chosen
