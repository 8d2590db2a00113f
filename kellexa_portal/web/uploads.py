"""What comes in a request's body: how much of it, and never a file, so that none is stored for a moment."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParserError


def announced_length(request: HttpRequest) -> int:
    """``Content-Length``; Django reads no byte beyond it, and none where there is no such number."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def hides_its_length(request: HttpRequest) -> bool:
    """Whether a body comes in chunks without an announced length: none of it would be read."""
    return "HTTP_TRANSFER_ENCODING" in request.META and not request.META.get("CONTENT_LENGTH")


class RefusingUploadHandler(FileUploadHandler):
    """Answers 400 at the first byte of a file; Django's own handlers would fill the disk (CWE-400)."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        raise MultiPartParserError("No form here takes a file.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Never reached."""

    def file_complete(self, file_size: int) -> None:
        """Never reached."""
