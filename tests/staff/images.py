"""Images for tests, and files that only look like one."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import Any

from PIL import Image


def image_file(kind: str = "PNG", size: tuple[int, int] = (800, 400), mode: str = "RGB", **options: Any) -> bytes:
    """Return an image of one colour."""
    file = BytesIO()
    Image.new(mode, size, (11, 110, 102, 128)[: len(mode)]).save(file, kind, **options)
    return file.getvalue()


def animated(kind: str) -> bytes:
    frames = [Image.new("RGB", (40, 40), color) for color in ("red", "blue")]
    file = BytesIO()
    frames[0].save(file, kind, save_all=True, append_images=frames[1:], duration=100)
    return file.getvalue()


def png_header(width: int, height: int) -> bytes:
    """Return a PNG of a few bytes that announces many pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    )
