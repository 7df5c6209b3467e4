"""Colours of public pages: what an admin types, and the stylesheet made from it."""

from __future__ import annotations

import re
from typing import Final, TypeAlias

#: Red, green and blue, 0 to 255.
Rgb: TypeAlias = tuple[int, int, int]

_HEX: Final = re.compile(r"#?([0-9a-f]{6}|[0-9a-f]{3})", re.IGNORECASE)
_BLACK: Final[Rgb] = (0, 0, 0)
_WHITE: Final[Rgb] = (255, 255, 255)
#: Smallest contrast between text and background (WCAG 2.2, success criterion 1.4.3).
MIN_CONTRAST: Final = 4.5

_STYLES: Final = """html:root {{
  --tblr-primary: {color};
  --tblr-primary-rgb: {red}, {green}, {blue};
  --tblr-primary-fg: #fff;
  --tblr-primary-darken: {darker};
  --tblr-link-color: {color};
  --tblr-link-color-rgb: {red}, {green}, {blue};
  --tblr-link-hover-color: {darkest};
  --coconut-tint: {tint};
  --coconut-tint-strong: {tint_strong};
  --coconut-tint-hover: {tint_hover};
  --coconut-on-tint: {darkest};
}}
"""


def normalize_color(text: str) -> str:
    """Return the colour as "#rrggbb". Accepts three digits and a missing "#". Raises ValueError for other text."""
    match = _HEX.fullmatch(text.strip())
    if match is None:
        raise ValueError(text)
    digits = match[1].lower()
    return "#" + (digits if len(digits) == 6 else "".join(digit * 2 for digit in digits))


def contrast_with_white(color: str) -> float:
    """Return the contrast of a "#rrggbb" colour with white, from 1 to 21 (WCAG 2.2, "contrast ratio")."""
    return _contrast("#ffffff", color)


def readable_on(color: str, background: str) -> str:
    """Return the "#rrggbb" colour, or its first lighter shade that is readable as text on a dark background."""
    shades = (_mixed(_rgb(color), _WHITE, step / 20) for step in range(20))
    return next((shade for shade in shades if _contrast(shade, background) >= MIN_CONTRAST), "#ffffff")


def styles_for(color: str) -> str:
    """Return the stylesheet of public pages with this "#rrggbb" accent."""
    rgb = _rgb(color)
    red, green, blue = rgb
    return _STYLES.format(
        color=color,
        red=red,
        green=green,
        blue=blue,
        darker=_mixed(rgb, _BLACK, 0.18),
        darkest=_mixed(rgb, _BLACK, 0.35),
        tint=_mixed(rgb, _WHITE, 0.93),
        tint_strong=_mixed(rgb, _WHITE, 0.88),
        tint_hover=_mixed(rgb, _WHITE, 0.78),
    )


def _rgb(color: str) -> Rgb:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _mixed(color: Rgb, other: Rgb, share: float) -> str:
    """Return the mix as "#rrggbb". `share` is that of the other colour, 0 to 1."""
    parts = (round(own * (1 - share) + its * share) for own, its in zip(color, other, strict=True))
    return "#" + "".join(f"{part:02x}" for part in parts)


def _contrast(lighter: str, darker: str) -> float:
    return (_luminance(_rgb(lighter)) + 0.05) / (_luminance(_rgb(darker)) + 0.05)


def _luminance(color: Rgb) -> float:
    red, green, blue = (_linear(part / 255) for part in color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)
