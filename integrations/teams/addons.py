"""Add-ons of Microsoft Teams."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

from staff.addons import AddOn

TEAMS: Final = AddOn("teams", _("Microsoft Teams add-on"))
ACCESS_POLICY: Final = AddOn(
    "teams-access-policy",
    _("Application Access Policy add-on"),
    _("Switching it on emails the Application ID and the steps to all admins."),
)
