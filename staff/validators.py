"""What stands in a line of a list, a mail's subject or a calendar entry must itself be one line."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

# The control characters and Unicode's two line ends; of NUL, Django's own fields speak.
one_line = RegexValidator(
    "[\x01-\x1f\x7f-\x9f\u2028\u2029]",
    message=_("Write this on one line, without tabs and other control characters."),
    code="one_line",
    inverse_match=True,
)
