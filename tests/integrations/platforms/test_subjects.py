"""Subjects are one line of visible text, at most 255 UTF-16 units long."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.platforms.subjects import LONGEST_SUBJECT, clean_subject, without_joiners
from tests import hypothesis_profiles  # noqa: F401

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
FLAG = "\U0001f1e8\U0001f1e6"


def utf16_units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


@pytest.mark.parametrize(
    "subject", ["ශ්\u200dරී ලංකා", "می\u200cخواهم", f"Review {FAMILY}", "\u2764\ufe0f Loans", f"{FLAG} branch", "Café"]
)
def test_joiners_inside_words_and_emoji_stay(subject: str) -> None:
    assert clean_subject(subject) == subject


@pytest.mark.parametrize(
    ("subject", "cleaned"),
    [
        ("  Mortgage \t review\r\n", "Mortgage review"),
        ("a\x00b\u2028c", "a b c"),
        ("ca\u00adf\u00e9", "café"),
        ("a\u200bb\ufeffc\u2060d", "abcd"),
        ("\u202egnp.exe", "gnp.exe"),
        ("a\u034fb", "ab"),
        ("\u3164\u2800", ""),
        ("a\u200d b\u200c", "a b"),
        ("a \u200d b", "a b"),
        ("\u200d", ""),
        ("a\u200d\u200db", "a\u200db"),
        ("", ""),
    ],
)
def test_other_invisible_characters_are_dropped(subject: str, cleaned: str) -> None:
    assert clean_subject(subject) == cleaned


@pytest.mark.parametrize(
    ("character", "fitting"),
    [
        ("é", 255),
        ("e\u0301", 127),
        ("\U0001f600", 127),
        ("\U0001f44d\U0001f3fd", 63),
        (FAMILY, 31),
        (FLAG, 63),
        ("\u1100\u1161\u11a8", 85),
        ("\u0915\u094d\u0937", 85),
    ],
)
def test_a_long_subject_is_cut_between_two_characters(character: str, fitting: int) -> None:
    assert clean_subject(character * 300) == character * fitting


def test_a_character_of_endless_length_is_cut() -> None:
    assert utf16_units(clean_subject("x" + "\u0301" * 400)) == LONGEST_SUBJECT


@given(st.text(max_size=600))
def test_a_clean_subject_is_short_visible_and_stays_as_it_is(subject: str) -> None:
    cleaned = clean_subject(subject)

    assert clean_subject(cleaned) == cleaned
    assert utf16_units(cleaned) <= LONGEST_SUBJECT
    assert {unicodedata.category(letter) for letter in without_joiners(cleaned)}.isdisjoint({"Cc", "Cf", "Zl", "Zp"})
