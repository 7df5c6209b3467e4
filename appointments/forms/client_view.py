"""Details form of the Client View."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from unicodedata import normalize

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from appointments.booking_rules.errors import BookingError, TimeTaken
from appointments.client_view.form_tokens import BadToken, FormToken
from appointments.client_view.selection import ClientSelection
from appointments.forms.questions import QuestionsGroup
from appointments.parameters import UnixTimeField, clean_or_none
from appointments.time_zones import day_and_time
from coconut.email_addresses import EmailAddressFormField
from coconut.fields.one_line_text import OneLineFormField
from coconut.fields.phone_numbers import PhoneNumberFormField, set_phone_region
from services.models import MeetingMethod
from services.questions import asked_questions
from staff.validators import one_line

_LONGEST_NAME = 300
_LONGEST_NOTE = 2000
# More digits would be a phone number.
_MOST_DIGITS = 4
# A web or email address: with a scheme, www or @, or a domain in lower case or with a common ending.
_ADDRESS = re.compile(
    r"(?i:://|www\.|@|\.(?:com|net|org|info|biz|io|app|link|site|online|shop|top|xyz)\b)|\w\.[a-z]{2}"
)


def _no_address(name: str) -> None:
    """Refuse a name with an address or a phone number. Our emails greet with it, and email programs link to it."""
    # A longer name is refused anyway, and normalising megabytes would block all threads of the process for seconds.
    if len(name) > _LONGEST_NAME:
        return
    plain = normalize("NFKC", name)
    if _ADDRESS.search(plain) or sum(map(str.isdigit, plain)) > _MOST_DIGITS:
        raise forms.ValidationError(_("Enter a name only, without a web address, email address or phone number."))


class DetailsForm(forms.Form):
    """Name, email, note, and phone if the method needs one. After a conflict the client chooses another start."""

    start = forms.CharField(required=False, max_length=20, widget=forms.HiddenInput)
    token = forms.CharField(required=False, max_length=500, widget=forms.HiddenInput)
    name = OneLineFormField(
        label=gettext_lazy("Your name"),
        max_length=_LONGEST_NAME,
        validators=[one_line, _no_address],
        error_messages={"required": gettext_lazy("Enter your name.")},
        widget=forms.TextInput({"autocomplete": "name"}),
    )
    email = EmailAddressFormField(
        label=gettext_lazy("Email"),
        max_length=254,
        help_text=gettext_lazy("The confirmation is sent here, with the links to move or cancel."),
        error_messages={"required": gettext_lazy("Enter your email, so that we can send the confirmation.")},
        widget=forms.EmailInput({"autocomplete": "email"}),
    )
    phone = PhoneNumberFormField(
        label=gettext_lazy("Phone"),
        help_text=gettext_lazy("We call you at this number."),
        error_messages={
            "required": gettext_lazy("Enter the phone number at which we call you."),
        },
        widget=forms.TextInput({"autocomplete": "tel", "type": "tel"}),
    )
    note = forms.CharField(
        label=gettext_lazy("Anything we should know? (optional)"),
        required=False,
        max_length=_LONGEST_NOTE,
        widget=forms.Textarea({"rows": 3}),
    )
    # Honeypot: people don't see this field.
    website = forms.CharField(
        label=gettext_lazy("Leave this empty"),
        required=False,
        widget=forms.TextInput({"autocomplete": "off", "tabindex": "-1"}),
    )

    def __init__(self, selection: ClientSelection, data: Any = None) -> None:
        self.selection = selection
        self.next_free: list[datetime] = []
        super().__init__(data, initial={"start": selection.starts_at and int(selection.starts_at.timestamp())})
        set_phone_region(self, selection.organization.phone_region)
        if selection.method != MeetingMethod.PHONE:
            del self.fields["phone"]
        wordings = asked_questions(selection.service) if selection.service else []
        self.questions = QuestionsGroup(data, wordings=wordings, for_client=True)
        self.form_token = FormToken.new()
        self.initial["token"] = self.form_token.signed(selection.organization)

    @property
    def starts_at(self) -> datetime | None:
        """Return the chosen start: of the form, else of the address."""
        start: datetime | None = clean_or_none(UnixTimeField(), self.data.get("start", ""))
        return start or self.selection.starts_at

    def is_valid(self) -> bool:
        """Return whether the details and the answers are valid."""
        return all([super().is_valid(), self.questions.is_valid()])

    def clean(self) -> dict[str, Any]:
        """Refuse forged and expired forms, and robots."""
        cleaned = super().clean() or {}
        try:
            self.form_token = FormToken.read(cleaned.get("token", ""), self.selection.organization)
        except BadToken:
            self.form_token = FormToken.new()
            self.add_error(None, _("Please press Book once more: this form could not be verified."))
        if self.form_token.is_old:
            self.form_token = FormToken.new()
            sentence = _("This page was open for a long time. Check the time once more, then press Book.")
            self.add_error(None, sentence)
        if cleaned.get("website"):
            self.add_error(None, _("Something was filled in that people do not see. Please press Book once more."))
        if self.starts_at is None:
            self.add_error(None, _("Choose one of the free times."))
        return cleaned

    @property
    def token_to_send(self) -> str:
        """Return the signed token of the next submit: the same key with a new signature."""
        return self.form_token.signed(self.selection.organization)

    @property
    def client(self) -> dict[str, str]:
        """Return the details as fields of Client."""
        return {name: self.cleaned_data.get(name, "") for name in ("name", "email", "phone")}

    def add_booking_error(self, error: BookingError, next_free: list[datetime]) -> None:
        """Show the error in a sentence for clients, and offer the next free slots."""
        is_time = isinstance(error, TimeTaken) or error.field == "starts_at"
        other = _("This can no longer be booked like this. Choose someone else or another time.")
        self.add_error(None, error.sentence if is_time else other)
        self.next_free = next_free

    @property
    def alternatives(self) -> list[tuple[int, str]]:
        """Return the alternative slots as (unix seconds, label)."""
        return [(int(start.timestamp()), day_and_time(timezone.localtime(start), "l j F")) for start in self.next_free]
