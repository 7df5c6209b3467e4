"""Uploads of small files, for the pages that take one. Files sent to any other page are dropped.

The file stays in memory: containers share no disk.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from io import BytesIO
from typing import Any, Final

from django.core.files.uploadedfile import InMemoryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt, csrf_protect

#: Bytes of the largest file. A larger one is cut one byte later, and keeps its real size.
LARGEST_FILE: Final = 1024 * 1024


class SmallFileHandler(FileUploadHandler):
    """Keeps the beginning of a file in memory. `UploadedFile.size` is the real size."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._kept = BytesIO()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._kept.write(raw_data[: max(0, LARGEST_FILE + 1 - start)])

    def file_complete(self, file_size: int) -> UploadedFile[bytes]:
        self._kept.seek(0)
        return InMemoryUploadedFile(
            self._kept,
            self.field_name,
            self.file_name or "",
            self.content_type,
            file_size,
            self.charset,
        )


def takes_small_file(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let a view read an uploaded file. The outermost decorator of the view."""
    protected = csrf_protect(view)

    # The middleware would read the body, and drop the file, before this handler is set. The view is protected inside
    # (docs.djangoproject.com/en/5.2/topics/http/file-uploads/#modifying-upload-handlers-on-the-fly).
    @csrf_exempt
    @wraps(view)
    def with_file(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        request.upload_handlers = [SmallFileHandler(request)]
        return protected(request, *args, **kwargs)

    return with_file
