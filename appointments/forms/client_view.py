"""Who books on the public page, and when."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from appointments.booking_rules.errors import BookingError, TimeTaken
from appointments.client_view.form_tokens import BadToken, FormToken
from appointments.client_view.selection import ClientSelection, moment_in
from services.models import MeetingMethod
from staff.validators import one_line

_LONGEST_NOTE = 2000
_FORM_IS_FOREIGN = gettext_lazy("Please press Book once more: this form could not be told from a forged one.")
_FORM_IS_OLD = gettext_lazy(
    "This page lay open for a long time. Look at the time once more, then press Book."
)
_NOT_THIS_WAY = gettext_lazy("This can no longer be booked like this. Choose somebody else or another time.")


class DetailsForm(forms.Form):
    """Name, email, phone where the method needs one, a note; and the time, which may have to be another one."""

    start = forms.CharField(required=False, max_length=20, widget=forms.HiddenInput)
    token = forms.CharField(required=False, max_length=500, widget=forms.HiddenInput)
    name = forms.CharField(
        label=gettext_lazy("Your name"),
        max_length=300,
        validators=[one_line],
        error_messages={"required": gettext_lazy("Enter your name.")},
        widget=forms.TextInput({"autocomplete": "name"}),
    )
    email = forms.EmailField(
        label=gettext_lazy("Email"),
        max_length=254,
        help_text=gettext_lazy("The confirmation is sent here, with the links to move or cancel."),
        error_messages={"required": gettext_lazy("Enter your email, so that we can send the confirmation.")},
        widget=forms.EmailInput({"autocomplete": "email"}),
    )
    phone = forms.RegexField(
        r"^[0-9+()./ -]*$",
        label=gettext_lazy("Phone"),
        max_length=40,
        help_text=gettext_lazy("We call you at this number."),
        error_messages={
            "required": gettext_lazy("Enter the phone number at which we call you."),
            "invalid": gettext_lazy("Enter a phone number, such as +1 555 0100."),
        },
        widget=forms.TextInput({"autocomplete": "tel", "type": "tel"}),
    )
    note = forms.CharField(
        label=gettext_lazy("Anything we should know? (optional)"),
        required=False,
        max_length=_LONGEST_NOTE,
        widget=forms.Textarea({"rows": 3}),
    )
    # Nobody sees this field: what is written here is written by a machine.
    website = forms.CharField(
        label=gettext_lazy("Leave this empty"),
        required=False,
        widget=forms.TextInput({"autocomplete": "off", "tabindex": "-1"}),
    )

    def __init__(self, wish: ClientSelection, data: Any = None) -> None:
        self.wish = wish
        self.next_free: list[datetime] = []
        super().__init__(data, initial={"start": wish.starts_at and int(wish.starts_at.timestamp())})
        if wish.method != MeetingMethod.PHONE:
            del self.fields["phone"]
        self.form_token = FormToken.new()
        self.initial["token"] = self.form_token.signed(wish.organization)

    @property
    def starts_at(self) -> datetime | None:
        """The time that is wanted: what was sent, else that of the address."""
        return moment_in(self.data.get("start", "")) or self.wish.starts_at

    def clean(self) -> dict[str, Any]:
        """Adds nothing; the token says whether the form is ours and fresh."""
        cleaned = super().clean() or {}
        try:
            self.form_token = FormToken.read(cleaned.get("token", ""), self.wish.organization)
        except BadToken:
            self.form_token = FormToken.new()
            self.add_error(None, str(_FORM_IS_FOREIGN))
        if self.form_token.is_old:
            self.form_token = FormToken(self.form_token.key)
            self.add_error(None, str(_FORM_IS_OLD))
        if cleaned.get("website"):
            self.add_error(
                None, _("Something was filled in that people do not see. Please press Book once more.")
            )
        if self.starts_at is None:
            self.add_error(None, _("Choose one of the free times."))
        return cleaned

    @property
    def token_to_send(self) -> str:
        """The signed token of the next submit: the same key, signed now."""
        return self.form_token.signed(self.wish.organization)

    @property
    def client(self) -> dict[str, str]:
        """What the client said of themselves, as a Client has it."""
        return {name: self.cleaned_data.get(name, "") for name in ("name", "email", "phone")}

    def add_booking_error(self, refusal: BookingError, next_free: list[datetime]) -> None:
        """Say why in words for clients, with the times that are free instead."""
        is_time = isinstance(refusal, TimeTaken) or refusal.field == "starts_at"
        self.add_error(None, refusal.sentence if is_time else str(_NOT_THIS_WAY))
        self.next_free = next_free

    @property
    def other_times(self) -> list[tuple[int, str]]:
        """The free times that can be chosen instead, as unix seconds and words."""
        return [
            (int(moment.timestamp()), date_format(timezone.localtime(moment), "l j F, H:i"))
            for moment in self.next_free
        ]
