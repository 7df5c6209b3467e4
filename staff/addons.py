"""Add-ons that operators switch on for an organisation. Upper apps declare them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.dispatch import Signal

from staff.hooks import Registry
from staff.models import Organization

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise


@dataclass(frozen=True)
class AddOn:
    """An add-on. `slug` is the value in `Organization.addons`; operators read `label` and `help_text`."""

    slug: str
    label: _StrOrPromise
    help_text: _StrOrPromise = ""


#: Add-ons of the installed apps. `AppConfig.ready()` registers them.
addons: Final[Registry[AddOn]] = Registry()

#: Sent inside the transaction that switches an add-on on. Arguments: organization (Organization), addon (its slug).
addon_switched_on: Final = Signal()


def announce_switched_on(organization: Organization, previous: Collection[str]) -> None:
    """Send `addon_switched_on` for each add-on of the organisation that isn't among the `previous` slugs."""
    for slug in organization.addons:
        if slug not in previous:
            addon_switched_on.send(sender=Organization, organization=organization, addon=slug)
