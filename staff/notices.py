"""Notices on a page: a problem, and a link to the page where a user can fix it.

Upper layers contribute notices to pages of lower layers through hooks (`staff.hooks`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Notice:
    """A problem with a link: `action` is its text, `address` its target. Clients would notice an urgent problem.

    `button`, if any, is the text of a button that posts to `button_address`.
    """

    sentence: str
    action: str
    address: str
    is_urgent: bool = True
    button: str = ""
    button_address: str = ""
