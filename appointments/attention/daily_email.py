"""Daily email to admins and schedulers about appointments that need attention."""

from __future__ import annotations

from datetime import date
from typing import Final

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import ngettext

from appointments.attention.conditions import load_with_cause, needing_attention
from appointments.attention.texts import cause_text
from appointments.bulk_change_models import AttentionEmail
from coconut.isolation import isolated
from staff.emails.layout import brand_of, render_html
from staff.models import Organization, OutboxEmail, Role, StaffMember
from staff.outbox import EmailKind, enqueue_emails

#: Hour of the organisation's day from which the email is sent.
HOUR: Final = 7
#: Appointments that the email names.
NAMED: Final = 10


def email_attention() -> int:
    """Send the emails of all organisations in which it is past HOUR and none was sent that day.

    Return the number of organisations.
    """
    sent = 0
    for organization in Organization.objects.order_by("pk"):
        with isolated(f"The daily email of organisation {organization.pk}"):
            local = timezone.localtime(timezone=organization.time_zone)
            if local.hour >= HOUR:
                sent += _email_organization(organization, local.date())
    return sent


@transaction.atomic
def _email_organization(organization: Organization, day: date) -> bool:
    """Enqueue an email to each reader, once a day. Return whether there were any."""
    AttentionEmail.objects.get_or_create(organization=organization, defaults={"day": date.min})
    is_first = AttentionEmail.objects.filter(organization=organization, day__lt=day).update(day=day)
    if not is_first or not needing_attention(organization).exists():
        return False
    readers = StaffMember.objects.active_in(organization).filter(Q(role=Role.ADMIN) | Q(role=Role.SCHEDULER))
    # One email each, because each reader has a time zone, and a refused address must not stop the others.
    enqueue_emails(
        [
            OutboxEmail(
                kind=ATTENTION_EMAIL.name, to=[reader.email], params={"reader": reader.pk}, organization=organization
            )
            for reader in readers.order_by("pk")
        ]
    )
    return True


def _render(email: OutboxEmail) -> EmailMessage | None:
    """Return the message about the present state, or None if nothing needs attention any more."""
    reader = StaffMember.objects.select_related("organization", "location").filter(pk=email.params["reader"]).first()
    if reader is None or reader.organization is None or not (reader.is_active and reader.can_schedule):
        return None
    found = needing_attention(reader.organization)
    if not (number := found.count()):
        return None
    subject = ngettext("%d appointment needs attention", "%d appointments need attention", number) % number
    with timezone.override(reader.zone):
        rows = [(each, cause_text(each)) for each in load_with_cause(found[:NAMED])]
        context = {
            "subject": subject,
            "reader": reader,
            "number": number,
            "rows": rows,
            "more": number - len(rows),
            "address": f"{settings.BASE_URL}{reverse('attention')}",
        }
        body = render_to_string("appointments/email/attention.txt", context)
        html = render_html("appointments/email/attention.html", context, brand_of(reader.organization))
    message = EmailMultiAlternatives(subject, body)
    message.attach_alternative(html, "text/html")
    return message


ATTENTION_EMAIL: Final = EmailKind("needs_attention", _render)
