"""Links to set a password, for invitations and forgotten passwords."""

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

from coconut.email_addresses import EmailAddressFormField
from coconut.rate_limits import Limit, is_within
from staff.models import StaffMember

logger = logging.getLogger(__name__)

_EMAILS = Limit("password-mails", times=5, seconds=60 * 60)


class EmailNotSent(Exception):
    """The SMTP server didn't accept the email."""


def password_link(member: StaffMember) -> str:
    """Return a URL where this person can set a password, once and within PASSWORD_RESET_TIMEOUT."""
    path = reverse(
        "password-set",
        args=[urlsafe_base64_encode(force_bytes(member.pk)), default_token_generator.make_token(member)],
    )
    # Not from the Host header, which the sender of the request can choose.
    return f"{settings.BASE_URL}{path}"


def send_invitation(member: StaffMember) -> None:
    """Email the link to set the first password. Raises EmailNotSent."""
    _send_link(member, _("Your account for appointments"), "staff/email/invitation.txt")


def send_forgotten_password(member: StaffMember) -> None:
    """Email the link to set a new password. Raises EmailNotSent."""
    _send_link(member, _("Set a new password"), "staff/email/forgotten_password.txt")


def _send_link(member: StaffMember, subject: str, template: str) -> None:
    days = settings.PASSWORD_RESET_TIMEOUT // 86400
    text = render_to_string(template, {"member": member, "link": password_link(member), "days": days})
    try:
        send_mail(subject, text, None, [member.email])
    except (SMTPException, OSError) as error:
        raise EmailNotSent from error


class ForgottenPasswordForm(forms.Form):
    """Asks for an email address. The response doesn't reveal whether an account has it."""

    email = EmailAddressFormField(
        label=gettext_lazy("Email"), widget=forms.EmailInput(attrs={"autocomplete": "username"})
    )

    def save(self, **options: Any) -> None:
        """Send the link to the active account with this address, even if it has no password yet."""
        for member in StaffMember.objects.active().with_email(self.cleaned_data["email"]):
            # An error on the page would reveal that the account exists.
            if not is_within((_EMAILS, member.pk)):
                continue
            try:
                send_forgotten_password(member)
            except EmailNotSent:
                logger.exception("The link to set a new password could not be sent.")
