"""Forms of staff accounts in Django admin, which ask the operator's password before sensitive changes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import AdminPasswordChangeForm, UserChangeForm
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from staff.accounts.changes import record_new_password
from staff.models import Role, StaffMember
from staff.sessions.current import record_password
from staff.sessions.password_check import must_enter_password, password_problem


class OperatorPasswordForm(forms.Form):
    """Base of forms that need the operator's password. `for_request` sets the request."""

    request: HttpRequest
    current_password = forms.CharField(
        label=_("Your own password"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        help_text=_("We ask again because you entered it more than 15 minutes ago."),
    )

    @property
    def is_sensitive(self) -> bool:
        """Return whether this change needs the password."""
        return True

    def clean(self) -> dict[str, Any]:
        """Check the password if the change needs it."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.is_sensitive and not self.errors and must_enter_password(self.request):
            self._check_password(cleaned.get("current_password", ""))
        return cleaned

    def _check_password(self, password: str) -> None:
        operator = self.request.user
        if not password:
            self.add_error("current_password", _("Enter your password to make this change."))
        elif isinstance(operator, StaffMember) and (problem := password_problem(self.request, operator, password)):
            self.add_error("current_password", problem)
        else:
            record_password(self.request)


def for_request(form: type[forms.BaseForm], request: HttpRequest) -> type[Any]:
    """Return the form for the operator of a request. It has no password field while none is needed."""
    # None removes an inherited field.
    field = {} if must_enter_password(request) else {"current_password": None}
    return type(form.__name__, (form,), {"request": request, **field})


class StaffMemberChangeForm(OperatorPasswordForm, UserChangeForm):  # type: ignore[type-arg]
    """Needs the operator's password for another email or role."""

    class Meta:
        model = StaffMember
        fields = ["email", "role"]  # Django admin adds the others

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if field := self.fields.get("current_password"):
            field.help_text = _("Only needed if you change the email or the role. We ask again after 15 minutes.")

    @property
    def is_sensitive(self) -> bool:
        return not {"email", "role"}.isdisjoint(self.changed_data)


class StaffMemberAddForm(OperatorPasswordForm, forms.ModelForm):  # type: ignore[type-arg]
    """An admin or another staff member, who gets an invitation. Admins fill in the rest of the profile."""

    class Meta:
        model = StaffMember
        fields = ["email", "organization", "role", "first_name", "last_name"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["organization"].required = True
        self.fields["role"].initial = Role.ADMIN
        if field := self.fields.get("current_password"):
            field.help_text = _("Only needed if you add an admin. We ask again after 15 minutes.")

    @property
    def is_sensitive(self) -> bool:
        return bool(self["role"].value() == Role.ADMIN)


class NewPasswordForm(OperatorPasswordForm, AdminPasswordChangeForm):  # type: ignore[type-arg]
    """A new password of an account, or none."""

    def save(self, commit: bool = True) -> StaffMember:
        with transaction.atomic():
            person: StaffMember = super().save(commit)
            if commit:
                record_new_password(person)
        return person
