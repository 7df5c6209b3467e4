"""Links to set a password: the invitation for somebody new, and the way back for who forgot."""

from __future__ import annotations

import logging
from smtplib import SMTPException
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from staff.models import StaffMember
from staff.rate_limits import Limit, within

logger = logging.getLogger(__name__)

_MAILS = Limit("password-mails", times=5, seconds=60 * 60)


class EmailNotSent(Exception):
    """The mail server did not take the mail."""


def password_link(member: StaffMember) -> str:
    """An address under which this person, and nobody else, sets a password; good once and for three days."""
    path = reverse(
        "password-set",
        args=[urlsafe_base64_encode(force_bytes(member.pk)), default_token_generator.make_token(member)],
    )
    # Never from the request's Host header, which whoever asks can choose.
    return f"{settings.BASE_URL}{path}"


def send_invitation(member: StaffMember) -> None:
    """Mail a new colleague the link to set the first password. Raises EmailNotSent."""
    _send(member, _("Your account for appointments"), "staff/mail/invitation.txt")


def send_forgotten_password(member: StaffMember) -> None:
    """Mail somebody the link to set a new password. Raises EmailNotSent."""
    _send(member, _("Set a new password"), "staff/mail/forgotten_password.txt")


def _send(member: StaffMember, subject: str, template: str) -> None:
    days = settings.PASSWORD_RESET_TIMEOUT // 86400
    text = render_to_string(template, {"member": member, "link": password_link(member), "days": days})
    try:
        send_mail(subject, text, None, [member.email])
    except (SMTPException, OSError) as error:
        raise EmailNotSent from error


class ForgottenPasswordForm(forms.Form):
    """Asks for the e-mail address; the answer is the same whether anybody has it."""

    email = forms.EmailField(
        label=gettext_lazy("Email"), widget=forms.EmailInput(attrs={"autocomplete": "username"})
    )

    def save(self, **options: Any) -> None:
        """Send the link to whoever signs in with the address; also to somebody who has no password yet."""
        for member in StaffMember.objects.filter(email__iexact=self.cleaned_data["email"], is_active=True):
            # Saying on the page that no mail went out would tell a stranger who has an account.
            if not within((_MAILS, member.pk)):
                continue
            try:
                send_forgotten_password(member)
            except EmailNotSent:
                logger.exception("The link to set a new password could not be sent.")
