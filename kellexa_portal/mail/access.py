"""Who among the staff may order another try. Mail lies below the people, so they tell it."""

from __future__ import annotations

from collections.abc import Callable

from kellexa_portal.core.actor import Actor, ActorType

_rules: list[Callable[[Actor], bool]] = []


def register_retry_rule(rule: Callable[[Actor], bool]) -> Callable[[Actor], bool]:
    """Lets ``rule`` admit staff; without any, nobody but the system itself is admitted."""
    _rules.append(rule)
    return rule


def may_retry(actor: Actor) -> bool:
    """Whether ``actor`` may order another try: the system, or staff whom a rule admits now."""
    if actor.type is ActorType.SYSTEM:
        return True
    return actor.type is ActorType.STAFF and any(rule(actor) for rule in _rules)
