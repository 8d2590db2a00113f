"""A catalogue for tests; registered by the fixture in ``conftest``."""

from __future__ import annotations

from kellexa_portal.audit.catalogue import AuditEvent


class SampleEvent(AuditEvent):
    DONE = "sample.thing.done", "A thing was done."
    REFUSED = "sample.thing.refuse", "A thing was refused."
