"""Names and other text of one line: one model field and one form field.

Text is stored in Unicode's composed form (NFC), without characters that no one sees or that turn its direction round,
and with single spaces. `staff.validators.one_line` refuses line breaks and other control characters.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.db import models

from coconut.fields.pasted_text import is_invisible

if TYPE_CHECKING:
    ModelCharField = models.CharField[str, str]
else:
    ModelCharField = models.CharField

# Longer text is refused, and to clean megabytes would take seconds.
_LONGEST: Final = 2000
_SPACES: Final = re.compile(r" {2,}")
_NON_JOINER: Final = "\u200c"
_JOINER: Final = "\u200d"
_EMOJI_STYLES: Final = "\ufe0e\ufe0f"
# Scripts whose letters join: as Unicode's character names begin. Persian names need the non-joiner, Sinhala the joiner.
_JOINING_SCRIPTS: Final = frozenset(
    [
        "ARABIC",
        "SYRIAC",
        "MONGOLIAN",
        "DEVANAGARI",
        "BENGALI",
        "GURMUKHI",
        "GUJARATI",
        "ORIYA",
        "TAMIL",
        "TELUGU",
        "KANNADA",
        "MALAYALAM",
        "SINHALA",
        "MYANMAR",
        "KHMER",
        "TIBETAN",
    ]
)


def clean_one_line(text: str) -> str:
    """Return the text in the form in which it is stored. Text of control characters stays, to be refused."""
    if len(text) > _LONGEST:
        return text
    if not text.isascii():
        text = _without_invisible(unicodedata.normalize("NFC", text))
    return _SPACES.sub(" ", text).strip()


def _without_invisible(text: str) -> str:
    kept: list[str] = []
    for character, after in zip(text, [*text[1:], ""], strict=True):
        before = kept[-1] if kept else ""
        if unicodedata.category(character) == "Zs":
            kept.append(" ")
        elif not is_invisible(character) or _belongs(character, before, after):
            kept.append(character)
    return "".join(kept)


def _belongs(character: str, before: str, after: str) -> bool:
    """Return whether an invisible character changes how its neighbours look: in an emoji, or in a joining script."""
    if character == _JOINER and _is_pictograph(before):
        return _is_pictograph(after)
    if character in (_JOINER, _NON_JOINER):
        return _joins(before) and _joins(after)
    return character in _EMOJI_STYLES and unicodedata.category(before or " ") in ("So", "Sm", "Po")


def _is_pictograph(character: str) -> bool:
    # Skin tones are modifiers (Sk).
    return bool(character) and (unicodedata.category(character) in ("So", "Sk") or character in _EMOJI_STYLES)


def _joins(character: str) -> bool:
    return bool(character) and unicodedata.name(character, "").partition(" ")[0] in _JOINING_SCRIPTS


class OneLineFormField(forms.CharField):
    """A name or other text of one line. Text that no one sees counts as empty."""

    def to_python(self, value: Any) -> str:
        return clean_one_line(super().to_python(value) or "")


class OneLineField(ModelCharField):
    """The same for a column. Migrations see Django's field, as the column doesn't differ."""

    def to_python(self, value: Any) -> Any:
        # Django also calls this for values to save and to look up.
        text = super().to_python(value)
        return clean_one_line(text) if isinstance(text, str) else text

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": OneLineFormField, **kwargs})

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs
