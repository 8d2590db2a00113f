"""Evidence: who did what, to what, when and with what outcome; written once and never changed.

Events are written plainly, in the caller's transaction and without a lock; a sealer gives each its
gapless place in a Merkle tree afterwards (docs/adr/0005).
"""

from kellexa_portal.audit.evidence import append_only
from kellexa_portal.audit.recording import NotInTransactionError, record, record_independently
from kellexa_portal.audit.values import Outcome, Stream, StreamType, Target

__all__ = [
    "NotInTransactionError",
    "Outcome",
    "Stream",
    "StreamType",
    "Target",
    "append_only",
    "record",
    "record_independently",
]
