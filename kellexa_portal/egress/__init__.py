"""The portal's one way out to addresses that customers name: no private target, no redirect, no flood.

A customer who names an address makes our server the visitor. So a name is resolved once, every address it
has is judged, and the connection goes to the judged one (SSRF, DNS rebinding: ASVS 1.3.6, OWASP SSRF).
"""

from .client import Answer, fetch
from .guard import EgressError, Refused, TooLarge, Unreachable
from .names import NamesUnavailable, texts_of

__all__ = [
    "Answer",
    "EgressError",
    "NamesUnavailable",
    "Refused",
    "TooLarge",
    "Unreachable",
    "fetch",
    "texts_of",
]
