"""HTML of emails that are written as plain text."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.mail import EmailMessage

from staff.emails.layout import Brand
from staff.emails.letters import Block, blocks_of, with_html

BRAND = Brand("Maple Credit Union", "#7a1f3d", "#d98aa3", address="120 Main Street", phone="+14165550190")


@pytest.fixture(autouse=True)
def base_url(settings: Any) -> None:
    settings.BASE_URL = "https://coconut.example"


def test_paragraphs_commands_and_our_own_links_become_blocks() -> None:
    text = "Hello Sam,\n\nopen this:\nhttps://coconut.example/settings/\n\n    Get-Team\n    New-Team\n"

    assert blocks_of(text) == [
        Block(text="Hello Sam,"),
        Block(text="open this:"),
        Block(link="https://coconut.example/settings/"),
        Block(commands="Get-Team\nNew-Team"),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "https://evil.example/",
        "https://coconut.example.evil.example/",
        "https://coconut.example@evil.example/",
        "https://coconut.example/ and more",
        "javascript:alert(1)",
    ],
)
def test_no_other_text_becomes_a_link(line: str) -> None:
    html = str(with_html(EmailMessage("Hello", line), BRAND).alternatives[0][0])

    assert blocks_of(line) == [Block(text=line)]
    assert html.count("href=") == html.count('href="tel:') == 1


def test_html_in_the_text_stays_text() -> None:
    html = str(with_html(EmailMessage("<b>", "<script>alert(1)</script>"), BRAND).alternatives[0][0])

    assert "&lt;script&gt;" in html
    assert "<script" not in html


def test_the_layout_names_the_organisation_with_its_address_and_phone() -> None:
    html = str(with_html(EmailMessage("Hello", "Good morning"), BRAND).alternatives[0][0])

    assert [text in html for text in ("Maple Credit Union", "120 Main Street", "tel:+14165550190")] == [True] * 3


def test_a_message_keeps_its_text_recipients_and_headers() -> None:
    message = EmailMessage(
        "Hello", "Good morning", "a@b.example", ["c@d.example"], headers={"X": "1"}, reply_to=["e@f.example"]
    )
    message.attach("a.txt", "text", "text/plain")

    letter = with_html(message, BRAND)

    for name in ("subject", "body", "from_email", "to", "reply_to", "attachments"):
        assert getattr(letter, name) == getattr(message, name)
    assert letter.extra_headers == {"X": "1"}
