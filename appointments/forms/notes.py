"""Notes of an appointment."""

from __future__ import annotations

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from appointments.changes.notes import notes_fingerprint
from appointments.models import Appointment

_LONGEST = 5000


class NotesForm(forms.Form):
    """Both notes, and a fingerprint of the shown notes, so that a colleague's changes aren't overwritten."""

    client_note = forms.CharField(
        label=_("Note shared with the client"),
        help_text=_("Written by the client when booking, or by you; the client sees it on their page."),
        required=False,
        max_length=_LONGEST,
        widget=forms.Textarea({"rows": 3}),
    )
    internal_note = forms.CharField(
        label=_("Internal note"),
        help_text=_("Only staff see it."),
        required=False,
        max_length=_LONGEST,
        widget=forms.Textarea({"rows": 3}),
    )
    seen = forms.CharField(max_length=16, widget=forms.HiddenInput(attrs={"data-keep": True}))

    @classmethod
    def of(cls, appointment: Appointment) -> NotesForm:
        """Return a form with the present notes."""
        return cls(
            initial={
                "client_note": appointment.client_note,
                "internal_note": appointment.internal_note,
                "seen": notes_fingerprint(appointment),
            }
        )

    @classmethod
    def again(cls, sent: QueryDict, appointment: Appointment, sentence: str) -> NotesForm:
        """Return the typed notes with the error, and the fingerprint of the present notes for the next save."""
        form = cls({**sent.dict(), "seen": notes_fingerprint(appointment)})
        form.full_clean()
        form.add_error(None, sentence)
        return form
