"""Uploaded images: only pixels of known formats survive."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from staff.branding.images import InvalidImage, small_png
from tests.staff.images import animated, image_file, png_header

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
SCRIPT = b"<script>alert(document.cookie)</script>"
DAMAGED = "This file is not a PNG, JPEG or WebP image, or it is damaged. Choose another file."
TOO_MANY_PIXELS = "This image has too many pixels. Make it smaller, for example 600 by 200 pixels."
ANIMATED = "This image is animated. Choose one that does not move."


def opened(png: bytes) -> Image.Image:
    return Image.open(BytesIO(png), formats=["PNG"])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_an_image_becomes_a_small_png_of_the_same_shape(kind: str) -> None:
    png = opened(small_png(image_file(kind, (800, 400))))

    assert (png.format, png.size, png.mode) == ("PNG", (400, 200), "RGB")


def test_a_small_image_keeps_its_size() -> None:
    assert opened(small_png(image_file(size=(60, 20)))).size == (60, 20)


def test_transparent_pixels_stay_transparent() -> None:
    assert opened(small_png(image_file(mode="RGBA"))).mode == "RGBA"


def test_metadata_is_dropped() -> None:
    exif = Image.Exif()
    exif[0x010E] = "Taken at the manager's home"

    png = small_png(image_file("JPEG", exif=exif.tobytes(), comment=b"secret", icc_profile=b"x" * 200))

    assert opened(png).info == {}
    assert b"manager" not in png


def test_a_photo_is_turned_as_the_camera_says() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn

    assert opened(small_png(image_file("JPEG", (100, 50), exif=exif.tobytes()))).size == (50, 100)


def test_a_script_behind_the_pixels_is_dropped() -> None:
    png = small_png(image_file() + SCRIPT)

    assert b"script" not in png


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        SVG,
        SCRIPT,
        b"\x89PNG\r\n\x1a\n" + SCRIPT,
        image_file("GIF"),
        image_file("BMP"),
        image_file("PNG")[:-200],
        image_file("JPEG")[:200],
        image_file("WEBP")[:-10],
        image_file("PNG").replace(b"IHDR", b"IHDX"),
    ],
    ids=[
        "empty",
        "text",
        "svg",
        "script",
        "script-as-png",
        "gif",
        "bmp",
        "cut-png",
        "cut-jpeg",
        "cut-webp",
        "no-header",
    ],
)
def test_any_other_file_is_refused_with_a_sentence(data: bytes) -> None:
    with pytest.raises(InvalidImage) as refusal:
        small_png(data)

    assert str(refusal.value) == DAMAGED


@pytest.mark.parametrize("size", [(4000, 4000), (12_000_001, 1), (50_000, 50_000)])
def test_a_bomb_of_pixels_is_refused_before_it_is_decoded(size: tuple[int, int]) -> None:
    with pytest.raises(InvalidImage) as refusal:
        small_png(png_header(*size))

    assert str(refusal.value) == TOO_MANY_PIXELS


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_an_animation_is_refused_with_a_sentence(kind: str) -> None:
    with pytest.raises(InvalidImage) as refusal:
        small_png(animated(kind))

    assert str(refusal.value) == ANIMATED
