"""Save the settings of emails, and record them in the audit log."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction

from appointments.audit import EMAIL_SETTINGS_CHANGED, SERVICE_REMINDERS_CHANGED
from appointments.email_settings_models import EmailSettings, OwnReminders, ReminderRule
from appointments.notifications.switches import DEFAULTS, switch_name, switches_of
from services.models import Service
from staff.audit_log.record import record
from staff.models import Organization


def reminders_of(organization: Organization, service: Service | None = None) -> list[int]:
    """Return the minutes before an appointment of the reminders of the organisation, or of one service."""
    rules = ReminderRule.objects.filter(organization=organization, service=service)
    return list(rules.order_by("-minutes").values_list("minutes", flat=True))


@transaction.atomic
def save_email_settings(organization: Organization, minutes: Collection[int], switches: dict[str, bool]) -> None:
    """Save the reminders of the organisation, and the switches by name."""
    Organization.objects.lock(organization.pk)
    before = reminders_of(organization)
    present = switches_of(organization.pk)
    turned = {
        switch_name(*each): switches[switch_name(*each)]
        for each in DEFAULTS
        if switches[switch_name(*each)] != present.is_on(*each)
    }
    EmailSettings.objects.update_or_create(organization=organization, defaults={"switches": switches})
    _replace_rules(organization, None, minutes)
    if turned or set(before) != set(minutes):
        params = {"before": before, "after": reminders_of(organization), "switches": turned}
        record(EMAIL_SETTINGS_CHANGED, organization, name=organization.name, params=params)


@transaction.atomic
def save_service_reminders(service: Service, minutes: Collection[int], *, has_own: bool) -> None:
    """Give a service reminders of its own, or those of the organisation again."""
    Organization.objects.lock(service.organization_id)
    own = OwnReminders.objects.filter(service=service)
    had_own, before = own.exists(), reminders_of(service.organization, service)
    if has_own:
        OwnReminders.objects.get_or_create(service=service)
    else:
        own.delete()
    _replace_rules(service.organization, service, minutes if has_own else ())
    after = reminders_of(service.organization, service)
    if (had_own, before) != (has_own, after):
        params = {"before": before if had_own else None, "after": after if has_own else None}
        record(SERVICE_REMINDERS_CHANGED, service, name=service.name, params=params)


def _replace_rules(organization: Organization, service: Service | None, minutes: Collection[int]) -> None:
    """Keep the rules that stay, because they know until when they were checked."""
    rules = ReminderRule.objects.filter(organization=organization, service=service)
    rules.exclude(minutes__in=minutes).delete()
    missing = set(minutes) - set(rules.values_list("minutes", flat=True))
    ReminderRule.objects.bulk_create(
        ReminderRule(organization=organization, service=service, minutes=each) for each in missing
    )
