"""Forms that show, while they are filled in, what each choice leaves."""

from __future__ import annotations

from typing import Any

from django import forms
from django.forms.utils import ErrorDict
from django.http import QueryDict


class ProgressiveForm(forms.Form):
    """Form that reads its fields before it is submitted, so that each choice narrows the next."""

    def picked(self, name: str) -> str:
        """Return the present text of a field, whether or not the form is bound."""
        value = self.data.get(name, "") if self.is_bound else self.initial.get(name, "")
        return str(value or "")


class CompositeForm(ProgressiveForm):
    """Progressive form that contains groups of fields as forms of their own.

    Groups read the same data. Errors of a group are errors of the whole form.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.groups: list[forms.Form] = []
        super().__init__(*args, **kwargs)

    @classmethod
    def is_preview(cls, sent: QueryDict) -> bool:
        """Return whether a submit only updates the choices: by a `preview` button, or by a free time (`pick`)."""
        return "preview" in sent or "pick" in sent

    @classmethod
    def choices_so_far(cls, sent: QueryDict) -> dict[str, str]:
        """Return the submitted values by field; a picked time sets `date`, `time` and `fold` (see `pick_value`)."""
        chosen = {name: value for name, value in sent.items() if isinstance(value, str)}
        day, separator, clock = chosen.get("pick", "").partition("T")
        if not separator:
            return chosen
        at, _separator, fold = clock.partition(";")
        return chosen | {"date": day, "time": at, "fold": fold}

    @property
    def errors(self) -> ErrorDict:
        """Return the errors of the form and of its groups, by field."""
        merged = ErrorDict(super().errors)
        for group in self.groups:
            merged.update(group.errors)
        return merged

    def add_error(self, field: str | None, error: Any) -> None:
        """Add an error to a field of the form or of a group."""
        group = next((group for group in self.groups if field in group.fields), None)
        if group is None:
            super().add_error(field, error)
        else:
            group.add_error(field, error)

    def field_or_none(self, name: str) -> str | None:
        """Return `name` if the form or a group has this field, else None for the errors of the whole form."""
        return name if any(name in form.fields for form in (self, *self.groups)) else None
