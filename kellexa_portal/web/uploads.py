"""Files in forms: no form of the portal takes one, so none is ever stored, not even for a moment."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadhandler import FileUploadHandler
from django.http.multipartparser import MultiPartParserError


class RefusingUploadHandler(FileUploadHandler):
    """Answers 400 at the first byte of a file; Django's own handlers would fill the disk (CWE-400)."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        raise MultiPartParserError("No form here takes a file.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Never reached."""

    def file_complete(self, file_size: int) -> None:
        """Never reached."""
