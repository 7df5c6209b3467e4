"""Lines on a page that say what is the matter and lead to the page where it is mended.

Whoever knows of such a thing is often on a floor above the page, so it registers itself there.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Notice:
    """`action` is the link's words, `address` where it leads; `is_urgent` for what clients would notice."""

    sentence: str
    action: str
    address: str
    is_urgent: bool = True
