"""Email operators about refused app credentials, at most once a day."""

from __future__ import annotations

import logging
from typing import Final

from django.conf import settings
from django.core.cache import cache
from django.core.mail import mail_admins
from redis.exceptions import RedisError

from integrations.platforms.values import PlatformError

_ONCE_A_DAY: Final = 24 * 60 * 60
logger = logging.getLogger(__name__)


def email_operators(problem: PlatformError, number: int) -> None:
    """Log that Microsoft refuses the app registration (AADSTS `number`), and email ADMINS once a day."""
    logger.error(
        "Microsoft refuses Coconut's credentials: AADSTS%s, trace %s",
        number,
        problem.request_id,
        extra={"platform_request_id": problem.request_id},
    )
    if _is_first_today(f"microsoft-credentials-{settings.MICROSOFT_CLIENT_ID}-{number}"):
        mail_admins(
            "Microsoft refuses Coconut's credentials",
            f"Microsoft answered AADSTS{number} to the app registration {settings.MICROSOFT_CLIENT_ID}.\n"
            "Until it is fixed no connection can get new tokens; meetings wait and follow automatically.\n\n"
            "Check MICROSOFT_CLIENT_ID and MICROSOFT_CLIENT_SECRET (the secret's value, not its id; it may have "
            "expired) or MICROSOFT_CLIENT_CERTIFICATE, then restart Coconut.\n"
            f"Microsoft's trace id: {problem.request_id or 'none'}",
            fail_silently=True,
        )


def _is_first_today(key: str) -> bool:
    try:
        return bool(cache.add(key, True, timeout=_ONCE_A_DAY))
    except RedisError:
        # Without the cache, every request would send an email. The log has the message.
        return False
