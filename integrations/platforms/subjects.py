"""Subjects of meetings: one line of visible text, as long as every platform accepts."""

from __future__ import annotations

import unicodedata
from itertools import zip_longest
from typing import Final

#: UTF-16 units. Platforms document no limit for online meetings: this is the usual limit of calendar items, and the
#: length of the column that stores the subject.
LONGEST_SUBJECT: Final = 255
# The zero-width non-joiner and joiner are part of the spelling in Persian, Sinhala and emoji.
_JOINERS: Final = "\u200c\u200d"
_JOINER: Final = "\u200d"
# Combining characters that are never visible.
_INVISIBLE_MARKS: Final = frozenset("\u034f\u17b4\u17b5")
# Letters and symbols that look like a space: Hangul fillers and the empty Braille pattern.
_BLANK_LETTERS: Final = frozenset("\u115f\u1160\u3164\uffa0\u2800")
_UNSEEN: Final = _INVISIBLE_MARKS | _BLANK_LETTERS
_COMBINING: Final = frozenset({"Mn", "Mc", "Me"})
_SKIN_TONES: Final = range(0x1F3FB, 0x1F400)
_FLAG_LETTERS: Final = range(0x1F1E6, 0x1F200)
# Jamo that follow another letter of the same syllable.
_TRAILING_JAMO: Final = range(0x1161, 0x1200)
# Canonical combining class of signs that join two consonants, as in Devanagari.
_VIRAMA: Final = 9


def clean_subject(subject: str) -> str:
    """Return the subject as one line without invisible characters, cut to LONGEST_SUBJECT between two characters.

    Joiners stay inside words and emoji.
    """
    words = map(_keep_inner_joiners, _visible(subject).split())
    return _cut(" ".join(filter(None, words)))


def without_joiners(subject: str) -> str:
    """Return the subject without joiners, for comparison."""
    return subject.translate(dict.fromkeys(map(ord, _JOINERS)))


def _visible(text: str) -> str:
    """Drop invisible characters other than joiners. Control characters and line ends become spaces."""
    return "".join(
        letter if letter in _JOINERS or (letter.isprintable() and letter not in _UNSEEN) else _blank(letter)
        for letter in text
    )


def _blank(letter: str) -> str:
    return "" if unicodedata.category(letter) == "Cf" or letter in _INVISIBLE_MARKS else " "


def _keep_inner_joiners(word: str) -> str:
    """Drop the joiners at the edges of a word, and all but one of several in a row."""
    inner = word.strip(_JOINERS)
    return "".join(
        letter
        for letter, following in zip_longest(inner, inner[1:], fillvalue="")
        if not (letter in _JOINERS and following in _JOINERS)
    )


def _cut(text: str) -> str:
    """Return the longest beginning that fits and doesn't end inside a visible character."""
    end, units = 0, 0
    while end < len(text) and units + _utf16_units(text[end]) <= LONGEST_SUBJECT:
        units += _utf16_units(text[end])
        end += 1
    longest = end
    while 0 < end < len(text) and _is_inside_character(text, end):
        end -= 1
    # A "character" of this length isn't one.
    return text[: end or longest].rstrip(" " + _JOINERS)


def _utf16_units(letter: str) -> int:
    return 2 if ord(letter) > 0xFFFF else 1


def _is_inside_character(text: str, position: int) -> bool:
    """Return whether `position` is inside a visible character (approximates Unicode Standard Annex 29)."""
    before, after = text[position - 1], text[position]
    if after in _JOINERS or before == _JOINER or unicodedata.category(after) in _COMBINING:
        return True
    if ord(after) in _SKIN_TONES or ord(after) in _TRAILING_JAMO or unicodedata.combining(before) == _VIRAMA:
        return True
    return ord(after) in _FLAG_LETTERS and _flag_letters_before(text, position) % 2 == 1


def _flag_letters_before(text: str, position: int) -> int:
    start = position
    while start and ord(text[start - 1]) in _FLAG_LETTERS:
        start -= 1
    return position - start
