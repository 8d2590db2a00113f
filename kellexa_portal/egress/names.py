"""TXT records, by which the owner of a domain shows that it is theirs."""

from __future__ import annotations

import dns.exception
import dns.rdatatype
import dns.resolver
from django.conf import settings

LIFETIME_SECONDS = 5.0
MAX_RECORDS = 100


class NamesUnavailable(Exception):
    """No name server gave a definite answer; nothing follows from that."""


def texts_of(name: str) -> list[str]:
    """The TXT records of ``name``, each as one text; empty when the name has none for certain.

    Asks ``DNS_RESOLVERS`` where set, else the machine's. Raises ``NamesUnavailable`` when nobody knows.
    """
    try:
        answer = _resolver().resolve(name, dns.rdatatype.TXT, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except (dns.exception.DNSException, OSError) as error:
        raise NamesUnavailable(type(error).__name__) from error
    records = list(answer)[:MAX_RECORDS]
    return [b"".join(record.strings).decode("utf-8", "replace") for record in records]


def _resolver() -> dns.resolver.Resolver:
    configured = settings.DNS_RESOLVERS
    resolver = dns.resolver.Resolver(configure=not configured)
    if configured:
        resolver.nameservers = [dns.nameserver.Do53Nameserver(host, port) for host, port in configured]
    resolver.lifetime = LIFETIME_SECONDS
    resolver.cache = None
    return resolver
