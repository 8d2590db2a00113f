"""Static files in production: hashed, compressed, and the style sheet in one piece.

The sources stay one file for each component and need no build step; ``collectstatic`` puts the entry's
imports in line, so that a first page costs one request for its looks instead of thirty in a row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.contrib.staticfiles.finders import find
from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage, Storage
from whitenoise.storage import CompressedManifestStaticFilesStorage  # type: ignore[import-untyped]  # ships no types

ENTRY = "ui/portal.css"
IMPORT = re.compile(r'@import url\("(?P<url>[\w./-]+)"\) layer\((?P<layer>\w+)\);')
MODULE_IMPORT = r"""(?P<matched>(?P<head>import\s[^;"']*)["'](?P<url>\./[\w.-]+)["'];)"""


def bundled(entry: str = ENTRY) -> str:
    """The style sheet ``entry`` with each imported file in its layer, in the order of the imports."""
    folder = entry.rpartition("/")[0]

    def inline(found: re.Match[str]) -> str:
        source = _read(f"{folder}/{found['url']}")
        return f"@layer {found['layer']} {{\n{source}}}"

    return IMPORT.sub(inline, _read(entry))


def _read(name: str) -> str:
    path = find(name)
    if path is None:
        raise FileNotFoundError(name)
    with open(path, encoding="utf-8") as file:  # noqa: PTH123  # the finder answers with a text
        return file.read()


class PortalStaticFilesStorage(CompressedManifestStaticFilesStorage):
    """WhiteNoise's storage, with the entry style sheet bundled and our modules importing hashed names.

    Only our own modules are rewritten: the pattern that Django offers also reads libraries, whose strings
    merely look like imports.
    """

    patterns = (
        *CompressedManifestStaticFilesStorage.patterns,
        ("ui/js/*.js", ((MODULE_IMPORT, '%(head)s"%(url)s";'),)),
    )

    def post_process(
        self, paths: dict[str, tuple[Storage, str]], *args: Any, **options: Any
    ) -> Iterator[Any]:
        """Replaces the entry's source by the bundle, then hashes and compresses as usual."""
        if ENTRY in paths:
            memory = InMemoryStorage()
            memory.save(ENTRY, ContentFile(bundled().encode()))
            paths = {**paths, ENTRY: (memory, ENTRY)}
        yield from super().post_process(paths, *args, **options)
