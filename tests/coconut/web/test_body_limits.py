"""Large bodies and files: refused or dropped, never stored."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser

from coconut.web.body_limits import LARGEST_BODY, LARGEST_PUBLIC_BODY

pytestmark = pytest.mark.django_db

ADDRESSES = ["/sign-in/", "/forgotten-password/", "/book/maple/", "/no-such-page/"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_body_over_the_limit_is_refused_with_a_sentence(address: str) -> None:
    response = Browser().post(address, b"a" * (LARGEST_BODY + 1), content_type="multipart/form-data; boundary=x")

    assert response.status_code == 413
    assert "Nothing was saved." in response.content.decode()


@pytest.mark.parametrize("address", ["/book/maple/", "/appointments/abc/move/", "/appointments/abc/cancel/"])
def test_pages_without_an_account_take_small_bodies_only(address: str) -> None:
    response = Browser().post(address, {"name": "a" * (LARGEST_PUBLIC_BODY + 1)})

    assert response.status_code == 413


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_file_is_dropped(address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    kept: list[Any] = []
    monkeypatch.setattr(tempfile, "NamedTemporaryFile", lambda *args, **options: kept.append(args))
    large = SimpleUploadedFile("large.bin", b"a" * (LARGEST_BODY - 10_000))

    response = Browser().post(address, {"username": "sam@maple.example", "file": large})

    assert response.status_code in (200, 403, 404, 413)
    assert kept == []
    assert list(tmp_path.iterdir()) == []
    assert not getattr(response.wsgi_request, "_files", None)


@pytest.mark.parametrize("length", ["", "0", "12", "x", "-1"])
def test_any_other_length_is_passed_on(length: str) -> None:
    assert Browser().get("/sign-in/", CONTENT_LENGTH=length).status_code == 200
