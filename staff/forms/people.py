"""Forms of staff members, and the filter of their list."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from django import forms
from django.db import IntegrityError
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from staff.accounts.email_availability import EmailTaken, TooManyTakenEmails, check_email_is_free
from staff.models import Location, Organization, Role, StaffMember
from staff.people import LastAdmin, save_person
from staff.planned_changes import Cause, PlannedChange

if TYPE_CHECKING:
    PersonModelForm = forms.ModelForm[StaffMember]
else:
    PersonModelForm = forms.ModelForm

ACTIVE = {"active": True, "inactive": False}


class PeopleFilter(forms.Form):
    """Search and filters of the staff list. Invalid values are ignored."""

    q = forms.CharField(label=_("Search"), required=False, max_length=200, strip=True)
    location = forms.ModelChoiceField(
        Location.objects.none(), label=_("Location"), required=False, empty_label=_("All locations")
    )
    active = forms.ChoiceField(
        label=_("Active or inactive"),
        required=False,
        choices=[("", _("Active and inactive")), ("active", _("Active")), ("inactive", _("Inactive"))],
    )

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["location"].queryset = organization.locations.all()  # type: ignore[attr-defined]

    @property
    def criteria(self) -> dict[str, Any]:
        """Return the arguments of `people.search`."""
        self.is_valid()
        return {
            "words": self.cleaned_data.get("q", ""),
            "location": self.cleaned_data.get("location"),
            "active": ACTIVE.get(self.cleaned_data.get("active", "")),
        }


class PersonForm(PersonModelForm):
    """Add or edit `instance`, whose organisation is set."""

    class Meta:
        model = StaffMember
        fields = [
            "first_name",
            "last_name",
            "email",
            "username",
            "role",
            "location",
            "time_zone",
            "last_day",
            "is_active",
        ]
        widgets = {"last_day": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")}
        labels = {"is_active": _("Active")}
        help_texts = {
            "email": _("Signs in with it. Use the address of the person's Microsoft account."),
            "username": _("Optional. Once in your organisation."),
            "role": _(
                "Admins manage everything. Schedulers book for everybody. "
                "Staff members see their own schedule and profile."
            ),
            "time_zone": _("Working hours are meant in this zone. Leave empty to use the location's."),
            "last_day": _("Leave empty for people who stay. No bookings after this day; access ends at its midnight."),
            "is_active": _("Someone who is not active cannot sign in; what was booked stays."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["first_name"].required = True
        location = self.fields["location"]
        organization = self.instance.organization
        # A person at a location that was closed since stays there until an admin chooses another one.
        offered = Q(active=True) | Q(pk=self.instance.location_id)
        location.queryset = Location.objects.filter(offered, organization=organization)  # type: ignore[attr-defined]
        location.empty_label = gettext("No location")  # type: ignore[attr-defined]
        self._label_empty_zone()

    def _label_empty_zone(self) -> None:
        zone = self.fields["time_zone"]
        _empty, *zones = zone.choices  # type: ignore[attr-defined]
        zone.choices = [("", gettext("As the location")), *zones]  # type: ignore[attr-defined]

    @property
    def changes_sign_in(self) -> bool:
        """Return whether the email or the role changes, which ends the person's sessions."""
        return not {"email", "role"}.isdisjoint(self.changed_data)

    def clean_email(self) -> str:
        """Check that the email is unique in all organisations, with the same sentence for each."""
        email: str = self.cleaned_data["email"]
        if "email" not in self.changed_data:
            return email
        try:
            check_email_is_free(email, self.instance)
        except EmailTaken:
            raise forms.ValidationError(gettext("This email is already taken.")) from None
        except TooManyTakenEmails:
            raise forms.ValidationError(
                gettext("You entered too many emails that are already taken. Try again in an hour.")
            ) from None
        return email

    def clean_username(self) -> str:
        """Check that the username is unique in the organisation, compared without case."""
        username: str = self.cleaned_data["username"]
        colleagues = StaffMember.objects.filter(organization=self.instance.organization)
        colleagues = colleagues.exclude(pk=self.instance.pk)
        if username and colleagues.filter(username__iexact=username).exists():
            raise forms.ValidationError(gettext("This username is already taken."))
        return username

    def clean(self) -> dict[str, Any]:
        """Check that an active person's last day isn't over."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        last_day = cleaned.get("last_day")
        if last_day is not None and cleaned.get("is_active") and last_day < timezone.localdate():
            self.add_error("last_day", gettext("This day is over. Choose a later one, or leave it empty."))
        return cleaned

    def planned_changes(self) -> list[PlannedChange]:
        """Return what the saved changes take away from booked appointments."""
        person, changed = self.instance, self.changed_data
        about = partial(PlannedChange, person.organization, people=(person.pk,))
        changes = []
        if "is_active" in changed and not person.is_active:
            changes.append(about(cause=Cause.LEFT))
        elif "last_day" in changed and person.leaves_at is not None:
            changes.append(about(cause=Cause.AFTER_LAST_DAY, starts_at=person.leaves_at))
        if not {"location", "time_zone"}.isdisjoint(changed):
            changes.append(about(cause=Cause.OUTSIDE_HOURS))
        return changes

    def save_or_explain(self) -> bool:
        """Save the person. Return False, with an error on the form, if that was refused."""
        try:
            save_person(self.instance, self._meta.fields)  # type: ignore[arg-type]
        except LastAdmin:
            self.add_error(None, self._last_admin_error())
        except IntegrityError:
            # The other row is committed now, so validation finds it.
            self.full_clean()
            if not self.errors:
                raise
        return not self.errors

    @staticmethod
    def _last_admin_error() -> str:
        return gettext(
            "This is the last active admin of your organisation. Make someone else an admin first, "
            "then change this role, enter a last working day or switch this person off."
        )


class AddPersonForm(PersonForm):
    """Add a staff member, who by default gets an email with a link to set a password."""

    invite = forms.BooleanField(
        label=_("Send invitation to set a password"),
        required=False,
        initial=True,
        help_text=_("A new person has no password. You can send the invitation later, too."),
    )

    @property
    def adds_admin(self) -> bool:
        """Return whether the typed role is Admin."""
        return bool(self["role"].value() == Role.ADMIN)
