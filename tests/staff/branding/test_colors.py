"""Colours as admins type them, and the stylesheet of public pages."""

from __future__ import annotations

import re

import pytest

from staff.branding.colors import MIN_CONTRAST, contrast_with_white, normalize_color, styles_for


@pytest.mark.parametrize(
    ("typed", "color"), [("#0B6E66", "#0b6e66"), ("0b6e66", "#0b6e66"), (" #a1c ", "#aa11cc"), ("00f", "#0000ff")]
)
def test_a_colour_is_stored_in_one_spelling(typed: str, color: str) -> None:
    assert normalize_color(typed) == color


@pytest.mark.parametrize("typed", ["", "green", "#12345", "#1234567", "#0b6e66;}", "rgb(1,2,3)", "#0b6e6g"])
def test_other_text_is_no_colour(typed: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(typed)}$"):
        normalize_color(typed)


def test_contrast_follows_the_formula_of_wcag() -> None:
    assert contrast_with_white("#000000") == pytest.approx(21)
    assert contrast_with_white("#ffffff") == pytest.approx(1)
    # The lightest grey that passes.
    assert contrast_with_white("#767676") > MIN_CONTRAST > contrast_with_white("#777777")


def test_the_stylesheet_has_the_colour_and_its_shades() -> None:
    styles = styles_for("#7a1f3d")

    assert "--tblr-primary: #7a1f3d;" in styles
    assert "--tblr-primary-rgb: 122, 31, 61;" in styles
    assert "--coconut-on-tint: #4f1428;" in styles
