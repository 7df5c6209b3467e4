"""Record sign-ins and sign-outs, on either sign-in page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver

from staff.audit_log.kinds import SIGN_IN_FAILED, SIGNED_IN, SIGNED_OUT
from staff.audit_log.record import record
from staff.models import StaffMember


@receiver(user_logged_in)
def record_sign_in(user: StaffMember, **kwargs: Any) -> None:
    """Record that a person signed in."""
    record(SIGNED_IN, user, actor=user)


@receiver(user_logged_out)
def record_sign_out(user: StaffMember | None, **kwargs: Any) -> None:
    """Record that a person signed out. A session that had ended already has no user."""
    if user is not None:
        record(SIGNED_OUT, user, actor=user)


@receiver(user_login_failed)
def record_failed_sign_in(credentials: Mapping[str, Any], **kwargs: Any) -> None:
    """Record a wrong password. An email of no account isn't stored: people type passwords into that field."""
    record(SIGN_IN_FAILED, StaffMember.objects.with_email(credentials.get("username") or "").first())
