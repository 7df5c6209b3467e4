"""Keep email programs from turning text of strangers into links.

Nothing verifies the person who fills in the booking page. A web address in their name or note would become a link.
Readers would trust it, because the organisation sent the email. Coconut's own links and the text of staff don't change.
"""

from __future__ import annotations

import re
from typing import Final

# Email programs look for links in the text that a reader sees. Tags within an address therefore don't stop all of them.
# Invisible characters would, but spam filters distrust them, and they spoil copied text. A space ends every link, in
# HTML, plain text and calendars alike, and the text stays readable: "maple. example".
_LINK_PARTS: Final = re.compile(
    r"""
      (?<=\S) \. (?=[^\W\d_])                   # domain, but not 3.50 or 30.11.2026
    | (?<=[a-z0-9]) [．。｡] (?=[a-z0-9])        # the same with other dots (RFC 3490, section 3.1)
    | \b www \. (?=\S)
    | : (?=//) | (?<=[^\W\d_]) : (?=\S)         # scheme, but not 10:30
    | (?<=\S) @ (?=\S)                          # email address
    | \\ (?=\\)                                 # network folder of Windows
    """,
    re.IGNORECASE | re.VERBOSE,
)
_IP_ADDRESS: Final = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b")


def without_autolinks(text: str) -> str:
    """Return the text with a space inside each web or email address; all other text stays as it is."""
    text = _LINK_PARTS.sub(r"\g<0> ", text)
    return _IP_ADDRESS.sub(lambda found: found.group().replace(".", ". "), text)
