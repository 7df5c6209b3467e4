"""Text and messages of pages."""

from __future__ import annotations

import re
from typing import Any

from django.contrib.messages import get_messages


def page_text(response: Any) -> str:
    """Return the text of the page's main part, without tags."""
    text = re.sub(r"<[^>]+>", " ", response.content.decode().split("<main", 1)[1])
    return re.sub(r"\s+([.,])", r"\1", " ".join(text.split()))


def messages_of(response: Any) -> list[str]:
    """Return the messages that the next page will show."""
    return [text for _level, text in messages_with_level(response)]


def messages_with_level(response: Any) -> list[tuple[str, str]]:
    """Return the messages that the next page will show, each with its level."""
    return [(message.level_tag, str(message)) for message in get_messages(response.wsgi_request)]
