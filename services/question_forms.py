"""Form of a question to clients."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.core.validators import MaxLengthValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from services.models import QuestionKind, QuestionWording
from services.questions import MOST_QUESTIONS, QuestionDraft
from staff.validators import one_line

_MOST_OPTIONS: Final = 20
_LONGEST_OPTION: Final = 100
_LONGEST_QUESTION: Final = 300
_LONGEST_CONSENT: Final = 2000


class QuestionForm(forms.Form):
    """Add a question, or edit that of `wording`, whose kind stays."""

    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"), choices=QuestionKind.choices, initial=QuestionKind.SHORT_TEXT.value
    )
    text = forms.CharField(
        label=gettext_lazy("Question, or text of the consent"),
        max_length=_LONGEST_CONSENT,
        help_text=gettext_lazy("Clients read it as you write it. Answers keep the text that was shown."),
        widget=forms.Textarea({"rows": 3}),
        error_messages={"required": gettext_lazy("Write the question.")},
    )
    options = forms.CharField(
        label=gettext_lazy("Answers to choose from"),
        required=False,
        max_length=_MOST_OPTIONS * (_LONGEST_OPTION + 2),
        help_text=gettext_lazy("One per line. Only for the kind “One of several answers”."),
        widget=forms.Textarea({"rows": 4}),
    )
    required = forms.BooleanField(
        label=gettext_lazy("Clients must answer"),
        required=False,
        help_text=gettext_lazy("They must tick a consent. Staff who book may leave it open."),
    )
    active = forms.BooleanField(
        label=gettext_lazy("Active"),
        required=False,
        initial=True,
        help_text=gettext_lazy("A question that is not active is not asked; its answers stay."),
    )

    def __init__(self, data: Any = None, *, wording: QuestionWording | None = None) -> None:
        super().__init__(data, initial=_values_of(wording) if wording else None)
        if wording:
            self.fields["kind"].disabled = True
        if self["kind"].value() == QuestionKind.CONSENT and wording:
            del self.fields["options"]

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"].replace("\r\n", "\n")
        if self.cleaned_data.get("kind") != QuestionKind.CONSENT:
            MaxLengthValidator(_LONGEST_QUESTION)(text)
            one_line(text)
        return text

    def clean_options(self) -> list[str]:
        """Return the answers of a choice; none for other kinds."""
        if self.cleaned_data.get("kind") != QuestionKind.CHOICE:
            return []
        options = [line.strip() for line in self.cleaned_data["options"].splitlines() if line.strip()]
        if not 2 <= len(options) <= _MOST_OPTIONS:
            raise forms.ValidationError(_("Write 2 to %(most)s answers, one per line.") % {"most": _MOST_OPTIONS})
        if len(set(options)) < len(options):
            raise forms.ValidationError(_("Write each answer once."))
        if max(map(len, options)) > _LONGEST_OPTION:
            raise forms.ValidationError(
                _("An answer has at most %(longest)s characters.") % {"longest": _LONGEST_OPTION}
            )
        return options

    @property
    def draft(self) -> QuestionDraft:
        chosen = self.cleaned_data
        return QuestionDraft(
            kind=QuestionKind(chosen["kind"]),
            text=chosen["text"],
            options=chosen.get("options", []),
            required=chosen["required"],
            active=chosen["active"],
        )

    def add_limit_error(self) -> None:
        sentence = _("A service asks at most %(most)s questions. Switch another one off first.")
        self.add_error(None, sentence % {"most": MOST_QUESTIONS})


def _values_of(wording: QuestionWording) -> dict[str, Any]:
    return {
        "kind": wording.question.kind,
        "text": wording.text,
        "options": "\n".join(wording.options),
        "required": wording.question.required,
        "active": wording.question.active,
    }
