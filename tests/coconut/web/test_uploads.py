"""Uploaded files of pages that take one."""

from __future__ import annotations

from typing import cast

from django.core.files.uploadedfile import SimpleUploadedFile, UploadedFile
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from coconut.web.uploads import LARGEST_FILE, takes_small_file


def received(size: int) -> UploadedFile[bytes]:
    """Return the file as a view gets it."""
    files: list[UploadedFile[bytes]] = []

    def view(request: HttpRequest) -> HttpResponse:
        files.append(cast("UploadedFile[bytes]", request.FILES["logo"]))
        return HttpResponse()

    request = RequestFactory().post("/", {"logo": SimpleUploadedFile("logo.png", b"a" * size)})
    request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]
    takes_small_file(view)(request)
    return files[0]


def test_a_small_file_stays_whole() -> None:
    file = received(200_000)

    assert (file.size, len(file.read())) == (200_000, 200_000)


def test_of_a_large_file_only_the_beginning_is_kept() -> None:
    file = received(3 * LARGEST_FILE)

    assert (file.size, len(file.read())) == (3 * LARGEST_FILE, LARGEST_FILE + 1)
