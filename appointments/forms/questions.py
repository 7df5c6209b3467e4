"""Fields for the questions of a service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext as _

from appointments.answers import NewAnswer
from appointments.forms.progressive import ProgressiveForm
from services.models import QuestionKind, QuestionWording
from staff.validators import one_line

_LONGEST: Final = {QuestionKind.SHORT_TEXT: 200, QuestionKind.LONG_TEXT: 2000}


@dataclass(frozen=True)
class QuestionRow:
    """A question on a page. `shown_name` is the hidden field that returns the wording that was shown."""

    wording: QuestionWording
    answer: BoundField
    shown_name: str


class QuestionsGroup(ProgressiveForm):
    """A field per question. Clients must answer required questions; staff may leave all of them open.

    Each question comes with the wording that the page showed. An answer to an earlier wording is refused, because the
    client hasn't read the present one.
    """

    def __init__(self, *args: Any, wordings: Sequence[QuestionWording], for_client: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._for_client = for_client
        self._wordings = {_name(wording): wording for wording in wordings}
        for name, wording in self._wordings.items():
            self.fields[name] = _field_for(wording, is_required=for_client and wording.question.required)

    @property
    def rows(self) -> list[QuestionRow]:
        return [QuestionRow(wording, self[name], _shown_name(name)) for name, wording in self._wordings.items()]

    def clean(self) -> dict[str, Any]:
        """Refuse answers to an earlier wording. A consent to it is no longer ticked."""
        cleaned = super().clean() or self.cleaned_data
        for name, wording in self._wordings.items():
            if self.picked(_shown_name(name)) not in ("", str(wording.pk)):
                self._ask_again(name, wording)
        return cleaned

    @property
    def answers(self) -> list[NewAnswer]:
        """Return the answers of a valid form. A consent that a client saw is answered, ticked or not."""
        found = []
        for name, wording in self._wordings.items():
            answer = self.cleaned_data.get(name)
            if wording.question.kind != QuestionKind.CONSENT:
                found += [NewAnswer(wording, text=answer)] if answer else []
            elif answer or (self._for_client and self.picked(_shown_name(name))):
                found.append(NewAnswer(wording, agreed=bool(answer)))
        return found

    def _ask_again(self, name: str, wording: QuestionWording) -> None:
        self.errors.pop(name, None)
        self.add_error(name, _("This text has changed meanwhile. Please read it again."))
        if wording.question.kind == QuestionKind.CONSENT:
            self.data = {key: value for key, value in self.data.items() if key != name}


def _name(wording: QuestionWording) -> str:
    return f"question_{wording.question_id}"


def _shown_name(name: str) -> str:
    return f"{name}_shown"


def _field_for(wording: QuestionWording, *, is_required: bool) -> forms.Field:
    label = wording.text if is_required else _("%(question)s (optional)") % {"question": wording.text}
    common: dict[str, Any] = {
        "label": label,
        "required": is_required,
        "error_messages": {"required": _("Answer this question.")},
    }
    match wording.question.kind:
        case QuestionKind.CONSENT:
            return forms.BooleanField(**common | {"error_messages": {"required": _("Tick this to book.")}})
        case QuestionKind.CHOICE:
            options = [(option, option) for option in wording.options]
            return forms.ChoiceField(**common, choices=[("", _("Choose an answer")), *options])
        case QuestionKind.LONG_TEXT:
            return forms.CharField(
                **common, max_length=_LONGEST[QuestionKind.LONG_TEXT], widget=forms.Textarea({"rows": 3})
            )
        case _:
            return forms.CharField(**common, max_length=_LONGEST[QuestionKind.SHORT_TEXT], validators=[one_line])
