"""Logo of a demo organisation: its name beside a leaf, drawn so that the repository needs no image."""

from __future__ import annotations

from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from staff.branding.images import small_png

_SIZE = (600, 160)
# One half of a leaf, from its tip down, in a square of 100.
_HALF_LEAF = (
    (50, 2),
    (58, 20),
    (70, 14),
    (66, 36),
    (92, 30),
    (84, 44),
    (98, 52),
    (72, 68),
    (76, 78),
    (52, 74),
    (53, 98),
)


def logo_of(name: str, color: str) -> bytes:
    """Return a PNG in this colour."""
    image = Image.new("RGBA", _SIZE, (255, 255, 255, 0))
    draw = ImageDraw.Draw(image)
    leaf = [*_HALF_LEAF, *((100 - x, y) for x, y in reversed(_HALF_LEAF))]
    draw.polygon([(10 + x * 1.4, 10 + y * 1.4) for x, y in leaf], fill=color)
    draw.text((175, 80), name, fill=color, font=ImageFont.load_default(46), anchor="lm")
    file = BytesIO()
    image.save(file, "PNG")
    return small_png(file.getvalue())
