"""Identifiers that people paste, such as user names, IDs and phone numbers: characters that don't belong to them.

Copied text often has characters that no one sees, and hyphens that only look like one. Names of people and other prose
are left alone: in some scripts, joiners belong to the letters.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    ModelCharField = models.CharField[str, str]
else:
    ModelCharField = models.CharField

# Longer text isn't an identifier, and to clean megabytes would take seconds.
_LONGEST: Final = 2000
# Characters without a glyph that aren't format characters (Cf): Unicode's Default_Ignorable_Code_Point, and the blank
# braille pattern.
_BLANK: Final = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, range(0xFE00, 0xFE10)))
    + "".join(map(chr, range(0xE0100, 0xE01F0)))
)
# Hyphens, dashes and the minus sign.
_HYPHENS: Final = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\ufe58\ufe63\uff0d"), "-")
_PAIRS: Final = ('""', "''", "“”", "”“", "„“", "‘’", "‚‘", "«»", "‹›", "``", "<>", "{}", "()", "[]")
# Surrogate, private and unassigned characters. `staff.validators.one_line` refuses control characters.
_UNPRINTABLE: Final = frozenset({"Cn", "Co", "Cs"})


def drop_invisible(text: str) -> str:
    """Return the text without invisible characters and outer spaces. All spaces become plain ones."""
    if len(text) > _LONGEST or (text.isascii() and text.isprintable()):
        return text.strip()
    return "".join(map(_visible, text)).strip()


def _visible(character: str) -> str:
    if is_invisible(character):
        return ""
    return " " if unicodedata.category(character) == "Zs" else character


def is_invisible(character: str) -> bool:
    """Return whether the character has no glyph and no width of a space: format characters and blank letters."""
    return unicodedata.category(character) == "Cf" or character in _BLANK


def clean_identifier(text: str) -> str:
    """Return the text without invisible characters and outer spaces, with plain hyphens and spaces."""
    return drop_invisible(text).translate(_HYPHENS)


def unwrap(text: str) -> str:
    """Return the text without the quotation marks and brackets around it. Long text is returned as it is."""
    text = text.strip()
    while _LONGEST > len(text) > 1 and text[0] + text[-1] in _PAIRS:
        text = text[1:-1].strip()
    return text


def describe_character(character: str) -> str:
    """Return the character in quotation marks, or its code point, such as U+200B, if it can't be seen."""
    if _visible(character) == character and character.isprintable() and character != " ":
        return f"“{character}”"
    return f"U+{ord(character):04X}"


def validate_printable(text: str) -> None:
    """Raise ValidationError, with the position and the code point, for a character that can't be seen."""
    for position, character in enumerate(text, start=1):
        if unicodedata.category(character) in _UNPRINTABLE:
            sentence = _("Character %(position)d (%(character)s) is not a letter, digit or sign. Delete it.")
            params = {"position": position, "character": describe_character(character)}
            raise ValidationError(sentence % params, code="unprintable")


class IdentifierFormField(forms.CharField):
    """An identifier. What is pasted along with it is dropped."""

    def to_python(self, value: Any) -> str:
        return clean_identifier(super().to_python(value) or "")


class IdentifierField(ModelCharField):
    """The same for a column. Migrations see Django's field, as the column doesn't differ."""

    default_validators = [validate_printable]

    def to_python(self, value: Any) -> Any:
        # Django also calls this for values to save and to look up.
        text = super().to_python(value)
        return clean_identifier(text) if isinstance(text, str) else text

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": IdentifierFormField, **kwargs})

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs
