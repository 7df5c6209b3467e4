"""Invitations, and the pages to set a forgotten password."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth import views as auth_views
from django.contrib.messages.views import SuccessMessageMixin
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from coconut.rate_limits import Limit, client_address, is_within
from staff.access import admin_only, current_member
from staff.accounts.changes import record_first_password, record_new_password
from staff.models import StaffMember
from staff.people import person_or_404
from staff.sign_in.limits import allow_new_password
from staff.sign_in.passwords import (
    FORGOTTEN_PASSWORD_TOKENS,
    INVITATION_TOKENS,
    ForgottenPasswordForm,
    PasswordTokens,
    enqueue_forgotten_password,
    enqueue_invitation,
    may_send_link,
)

if TYPE_CHECKING:
    Message = SuccessMessageMixin[Any]
else:
    Message = SuccessMessageMixin

# Per client address, for any emails. A whole office may share one.
_FORGOTTEN = Limit("password-forgotten", times=30, seconds=60 * 60)


@require_POST
@admin_only
def invite(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a staff member the link to set a password."""
    person = person_or_404(current_member(request), pk)
    send_link(request, person)
    return redirect("staff-edit", person.pk)


def send_link(request: HttpRequest, person: StaffMember) -> None:
    """Send the invitation or the link for a new password, and show the admin the result."""
    if not person.is_active:
        messages.error(request, _("This person is not active. Tick Active and save first."))
        return
    if not may_send_link(person.email):
        sentence = _("%(email)s got five links in the last hour. Try again later.")
        messages.error(request, sentence % {"email": person.email})
        return
    if person.has_usable_password():
        enqueue_forgotten_password(person.email)
        tokens = FORGOTTEN_PASSWORD_TOKENS
    else:
        enqueue_invitation(person)
        tokens = INVITATION_TOKENS
    sentence = _("A link to set a password is on its way to %(email)s. It works for %(lifetime)s.")
    messages.success(request, sentence % {"email": person.email, "lifetime": tokens.lifetime_in_words()})


class ForgottenPassword(Message, auth_views.PasswordResetView):
    """Page that asks for the email address and sends the link."""

    template_name = "staff/forgotten_password.html"
    form_class = ForgottenPasswordForm  # type: ignore[assignment]
    success_url = reverse_lazy("login")
    success_message = gettext_lazy(
        "If there is an account with this email, we have sent it a link to set a new password. "
        "The link works for %(lifetime)s."
    )

    def get_success_message(self, cleaned_data: dict[str, Any]) -> str:
        """Return the message with the lifetime of the link."""
        return str(self.success_message) % {"lifetime": FORGOTTEN_PASSWORD_TOKENS.lifetime_in_words()}

    def form_valid(self, form: Any) -> HttpResponse:
        """Send the link, unless the client address is over the limit."""
        if not is_within((_FORGOTTEN, client_address(self.request))):
            form.add_error(None, _("Too many attempts. Try again in an hour, or ask an admin for a link."))
            return self.form_invalid(form)
        return super().form_valid(form)


class SetPassword(Message, auth_views.PasswordResetConfirmView):
    """Page that the link for a forgotten password opens."""

    token_generator: PasswordTokens = FORGOTTEN_PASSWORD_TOKENS
    is_invitation = False
    template_name = "staff/set_password.html"
    success_url = reverse_lazy("login")
    success_message = gettext_lazy("Your password is set. Sign in with it.")

    def form_valid(self, form: Any) -> HttpResponse:
        """Save the password. The person can sign in at once, even after too many attempts."""
        is_first = self.is_invitation and not form.user.has_usable_password()
        with transaction.atomic():
            response = super().form_valid(form)
            record_first_password(form.user) if is_first else record_new_password(form.user)
        allow_new_password(self.request, form.user.email)
        return response


class AcceptInvitation(SetPassword):
    """Page that an invitation opens."""

    token_generator = INVITATION_TOKENS
    is_invitation = True
