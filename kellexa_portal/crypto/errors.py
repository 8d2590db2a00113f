"""What goes wrong with a sealed value."""

from __future__ import annotations


class SealedValueError(Exception):
    """A sealed value was changed, stands in another place than it was sealed for, or its key is unknown.

    One class and no detail of the value: whoever can provoke the error learns nothing from it.
    ``reason`` is a stable word for the log.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"The sealed value cannot be opened ({reason}).")
        self.reason = reason


class UnknownKeyError(SealedValueError):
    """A key-encryption key or a data key of this id is not known to this process."""

    def __init__(self) -> None:
        super().__init__("unknown-key")
