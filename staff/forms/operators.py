"""Forms of organisations in Django admin, for operators."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from coconut.countries import country_of_zone
from coconut.email_addresses import EmailAddressFormField
from coconut.fields.one_line_text import OneLineFormField
from coconut.fields.phone_numbers import set_phone_region
from coconut.fields.phone_regions import region_of_zone
from staff.accounts.email_availability import EmailTaken, TooManyTakenEmails, check_email_is_free
from staff.addons import addons
from staff.embedding import InvalidOrigin, read_origins
from staff.models import Location, Organization, Role, StaffMember
from staff.people import save_person
from staff.sign_in.passwords import enqueue_invitation
from staff.validators import one_line


def addon_choices() -> list[tuple[str, str]]:
    return [(addon.slug, str(addon.label)) for addon in addons]


class OrganizationForm(forms.ModelForm):  # type: ignore[type-arg]
    """An organisation with its add-ons."""

    addons = forms.MultipleChoiceField(
        label=capfirst(_("add-ons")),
        choices=addon_choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = Organization
        fields = [
            "name",
            "slug",
            "time_zone",
            "phone",
            "sender_email",
            "addons",
            "embed_origins",
            "idle_minutes",
        ]
        help_texts: ClassVar = {
            "sender_email": _(
                "Its domain must allow Coconut to send (docs/emails.md). Empty: the installation’s own address."
            )
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_phone_region(self, region_of_zone(self["time_zone"].value()))
        self.fields["addons"].help_text = " ".join(
            f"{addon.label}: {addon.help_text}" for addon in addons if addon.help_text
        )

    def clean_addons(self) -> list[str]:
        """Return the chosen slugs. A slug that no installed app declares stays as it is."""
        declared = {addon.slug for addon in addons}
        undeclared = [slug for slug in self.instance.addons if slug not in declared]
        return [*self.cleaned_data["addons"], *undeclared]

    def clean_embed_origins(self) -> str:
        """Return one origin per line, as browsers write them: scheme and host only."""
        try:
            return "\n".join(read_origins(self.cleaned_data["embed_origins"]))
        except InvalidOrigin as error:
            raise forms.ValidationError(str(error)) from None


class OrganizationAddForm(OrganizationForm):
    """A new organisation and its first admin, who gets an invitation to set a password."""

    admin_first_name = OneLineFormField(label=_("First admin: first name"), max_length=150, validators=[one_line])
    admin_last_name = OneLineFormField(
        label=_("First admin: last name"), max_length=150, required=False, validators=[one_line]
    )
    admin_email = EmailAddressFormField(
        label=_("First admin: email"),
        max_length=254,
        help_text=_("Gets a link to set a password. Add the address of the person's Microsoft account."),
    )

    def clean_admin_email(self) -> str:
        """Check that no account has this email."""
        email: str = self.cleaned_data["admin_email"]
        try:
            check_email_is_free(email, StaffMember())
        except EmailTaken:
            raise forms.ValidationError(gettext("This email is already taken.")) from None
        except TooManyTakenEmails:
            raise forms.ValidationError(
                gettext("You entered too many emails that are already taken. Try again in an hour.")
            ) from None
        return email

    def clean(self) -> dict[str, Any]:
        """Set the country of the time zone, which admins can correct."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if zone := cleaned.get("time_zone"):
            self.instance.country = country_of_zone(zone.key)
        return cleaned

    def invite_admin(self) -> StaffMember:
        """Add the first admin of the saved organisation, and email the invitation."""
        admin = StaffMember(
            organization=self.instance,
            role=Role.ADMIN,
            first_name=self.cleaned_data["admin_first_name"],
            last_name=self.cleaned_data["admin_last_name"],
            email=self.cleaned_data["admin_email"],
        )
        save_person(admin, ())
        enqueue_invitation(admin)
        return admin


class LocationRowForm(forms.ModelForm):  # type: ignore[type-arg]
    """A location of the organisation. Without a time zone, it gets the organisation's."""

    class Meta:
        model = Location
        fields = "__all__"  # noqa: DJ007 - Django admin passes the fields

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["time_zone"].required = False
        set_phone_region(self, region_of_zone(self["time_zone"].value()))

    def save(self, commit: bool = True) -> Location:
        self.instance.time_zone = self.instance.time_zone or self.instance.organization.time_zone
        location: Location = super().save(commit)
        return location
