"""Validator of single-line text, for lists, email subjects and calendar entries."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

# Control characters and Unicode's two line separators. Django's fields reject NUL themselves.
one_line = RegexValidator(
    "[\x01-\x1f\x7f-\x9f\u2028\u2029]",
    message=_("Write this on one line, without tabs and other control characters."),
    code="one_line",
    inverse_match=True,
)
