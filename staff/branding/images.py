"""Checks of an uploaded image, and its conversion to a small PNG.

Only pixels survive: a script behind the image, its metadata and further frames don't.
"""

from __future__ import annotations

import logging
from io import BytesIO
from typing import Final

from django.utils.translation import gettext as _
from PIL import Image, ImageOps

logger = logging.getLogger(__name__)

#: Width and height that a stored image fits into, in pixels. Pages show it at half the size, for sharp screens.
STORED_SIZE: Final = (600, 200)
#: A decoded image of this size takes 48 MB.
MOST_PIXELS: Final = 12_000_000
_FORMATS: Final = ("PNG", "JPEG", "WEBP")


class InvalidImage(ValueError):
    """The image can't be used. The text is a sentence."""


def small_png(data: bytes) -> bytes:
    """Return the image as a PNG within STORED_SIZE. Raises InvalidImage."""
    try:
        with _opened(data) as image:
            return _encoded(image)
    except InvalidImage:
        raise
    # Pillow raises exceptions of many types for a broken file.
    except Exception as error:
        logger.info("An image can't be read: %s", type(error).__name__)
        raise _unreadable() from error


def _opened(data: bytes) -> Image.Image:
    """Return the image, whose header is read but no pixel yet."""
    try:
        image: Image.Image = Image.open(BytesIO(data), formats=_FORMATS)
    except Image.DecompressionBombError:
        raise _too_many_pixels() from None
    if image.width * image.height > MOST_PIXELS:
        raise _too_many_pixels()
    if getattr(image, "n_frames", 1) > 1:
        raise InvalidImage(_("This image is animated. Choose one that does not move."))
    return image


def _encoded(image: Image.Image) -> bytes:
    # Cameras and phones store how the image must be turned.
    turned = ImageOps.exif_transpose(image)
    pixels = turned.convert("RGBA" if turned.has_transparency_data else "RGB")
    pixels.thumbnail(STORED_SIZE, Image.Resampling.LANCZOS)
    # Metadata and colour profile.
    pixels.info.clear()
    png = BytesIO()
    pixels.save(png, "PNG", optimize=True)
    return png.getvalue()


def _too_many_pixels() -> InvalidImage:
    return InvalidImage(_("This image has too many pixels. Make it smaller, for example 600 by 200 pixels."))


def _unreadable() -> InvalidImage:
    return InvalidImage(_("This file is not a PNG, JPEG or WebP image, or it is damaged. Choose another file."))
