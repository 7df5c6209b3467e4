"""HTML of emails that are written as plain text: paragraphs, commands and links of ours."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives

from staff.emails.layout import Brand, render_html

_BLANK_LINES: Final = re.compile(r"\n[ \t]*\n")


@dataclass(frozen=True)
class Block:
    """A paragraph, a block of commands, or a link. Exactly one of them is not empty."""

    text: str = ""
    commands: str = ""
    link: str = ""


def with_html(message: EmailMessage, brand: Brand) -> EmailMultiAlternatives:
    """Return the message, with its text in the layout if it has no HTML of its own."""
    if isinstance(message, EmailMultiAlternatives):
        return message
    letter = EmailMultiAlternatives(
        message.subject,
        message.body,
        message.from_email,
        message.to,
        attachments=message.attachments,
        headers=message.extra_headers,
        reply_to=message.reply_to,
    )
    context = {"subject": message.subject, "blocks": blocks_of(str(message.body))}
    letter.attach_alternative(render_html("email/letter.html", context, brand), "text/html")
    return letter


def blocks_of(text: str) -> list[Block]:
    """Return the blocks between blank lines.

    Only a line that is one of our own addresses becomes a link, so text of strangers never does.
    """
    blocks: list[Block] = []
    for part in filter(str.strip, _BLANK_LINES.split(text.replace("\r\n", "\n"))):
        blocks += _blocks_of_part(part.strip("\n"))
    return blocks


def _blocks_of_part(part: str) -> list[Block]:
    lines = part.split("\n")
    if all(line.startswith("    ") for line in lines):
        return [Block(commands="\n".join(line.strip() for line in lines))]
    *above, last = lines
    if _is_own_link(last):
        return [*([Block(text="\n".join(above))] if above else []), Block(link=last.strip())]
    return [Block(text=part)]


def _is_own_link(line: str) -> bool:
    return line.startswith(f"{settings.BASE_URL}/") and len(line.split()) == 1
