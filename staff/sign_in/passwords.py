"""Links to set a password, for invitations and forgotten passwords.

The outbox makes a link when it sends the email, so no row holds a usable one.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from django import forms
from django.conf import settings
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.encoding import force_bytes
from django.utils.http import base36_to_int, urlsafe_base64_encode
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from coconut.email_addresses import EmailAddressFormField
from coconut.rate_limits import Limit, is_within
from staff.audit_log.kinds import INVITATION_SENT, PASSWORD_LINK_SENT
from staff.audit_log.origin import current_actor, current_address
from staff.audit_log.record import record
from staff.models import OutboxEmail, StaffMember
from staff.outbox import EmailKind, enqueue_email

_EMAILS = Limit("password-emails", times=5, seconds=60 * 60)


class PasswordTokens(PasswordResetTokenGenerator):
    """Tokens of one kind of link. Each works once, and for `lifetime` from when it was made."""

    def __init__(self, kind: str, lifetime: timedelta) -> None:
        super().__init__()
        self.key_salt = f"staff.sign_in.passwords.{kind}"
        self.lifetime = lifetime

    def check_token(self, user: Any, token: str | None) -> bool:
        """Return whether the token is this person's, unused and not too old."""
        return super().check_token(user, token) and self._age_of(str(token)) <= self.lifetime

    def lifetime_in_words(self) -> str:
        """Return the lifetime in the reader's language, such as "3 days"."""
        start = datetime(2001, 1, 1)  # noqa: DTZ001 - only the difference counts
        # The space between number and unit is a non-breaking one.
        return timesince(start, start + self.lifetime).replace("\xa0", " ")

    def _age_of(self, token: str) -> timedelta:
        made = base36_to_int(token.partition("-")[0])
        return timedelta(seconds=self._num_seconds(self._now()) - made)


FORGOTTEN_PASSWORD_TOKENS: Final = PasswordTokens("forgotten", timedelta(hours=1))
# Django's own limit, which applies to all tokens.
INVITATION_TOKENS: Final = PasswordTokens("invitation", timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT))


def may_send_link(email: str) -> bool:
    """Count an email with a link to set a password. Return whether its address may get one more."""
    # Accounts are found by the email in upper case.
    return is_within((_EMAILS, email.upper()))


def enqueue_invitation(member: StaffMember) -> None:
    """Email the link to set the first password."""
    params = {"member": member.pk}
    with transaction.atomic():
        enqueue_email(INVITATION_EMAIL, to=[member.email], params=params, organization=member.organization)
        record(INVITATION_SENT, member)


def enqueue_forgotten_password(email: str) -> None:
    """Email the link to set a new password, if an active account has this address.

    Look up no account: the time that this takes must not reveal whether there is one.
    """
    # The audit log needs them when the email is sent and its account is known.
    actor = current_actor()
    params = {"actor": actor.pk if actor else None, "address": current_address()}
    enqueue_email(FORGOTTEN_PASSWORD_EMAIL, to=[email], params=params)


def _render_invitation(email: OutboxEmail) -> EmailMessage | None:
    member = StaffMember.objects.active().filter(pk=email.params["member"]).first()
    if member is None:
        return None
    link = _link(member, "password-invitation", INVITATION_TOKENS)
    return _message(member, _("Your account for appointments"), "staff/email/invitation.txt", link, INVITATION_TOKENS)


def _render_forgotten_password(email: OutboxEmail) -> EmailMessage | None:
    member = StaffMember.objects.active().with_email(email.to[0]).select_related("organization").first()
    if member is None:
        return None
    link = _link(member, "password-set", FORGOTTEN_PASSWORD_TOKENS)
    _record_link(email, member)
    language = member.organization.language if member.organization else settings.LANGUAGE_CODE
    with translation.override(language):
        subject, template = _("Set a new password"), "staff/email/forgotten_password.txt"
        return _message(member, subject, template, link, FORGOTTEN_PASSWORD_TOKENS)


def _record_link(email: OutboxEmail, member: StaffMember) -> None:
    """Record the link once, not at every retry."""
    if email.attempts == 1:
        actor = StaffMember.objects.filter(pk=email.params.get("actor")).first()
        record(PASSWORD_LINK_SENT, member, actor=actor, address=email.params.get("address", ""))


INVITATION_EMAIL: Final = EmailKind("invitation", _render_invitation)
FORGOTTEN_PASSWORD_EMAIL: Final = EmailKind("forgotten_password", _render_forgotten_password)


def _link(member: StaffMember, page: str, tokens: PasswordTokens) -> str:
    path = reverse(page, args=[urlsafe_base64_encode(force_bytes(member.pk)), tokens.make_token(member)])
    # Not from the Host header, which the sender of the request can choose.
    return f"{settings.BASE_URL}{path}"


def _message(member: StaffMember, subject: str, template: str, link: str, tokens: PasswordTokens) -> EmailMessage:
    context = {"member": member, "link": link, "lifetime": tokens.lifetime_in_words()}
    # Not to the typed address: another mailbox may have it, such as one that differs only in an accent.
    return EmailMessage(subject, render_to_string(template, context), to=[member.email])


class ForgottenPasswordForm(forms.Form):
    """Asks for an email address. Neither the response nor its time reveals whether an account has it."""

    email = EmailAddressFormField(
        label=gettext_lazy("Email"),
        # As an account's email. PostgreSQL would cut a longer one off.
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )

    def save(self, **options: Any) -> None:
        """Enqueue the email, unless the address is over its limit."""
        email = self.cleaned_data["email"]
        if may_send_link(email):
            enqueue_forgotten_password(email)
