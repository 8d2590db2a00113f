"""The log's tables. Only ``Sealer`` may ever be updated; the others are append-only (``evidence``)."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.core.exceptions import ObjectDoesNotExist
from django.db import models
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from kellexa_portal.audit import catalogue
from kellexa_portal.audit.fields import CurrentTransactionId, NetworkField, TransactionIdField
from kellexa_portal.audit.values import NOBODY, Outcome, Stream, StreamType

HASH_BYTES = 32


class Event(models.Model):
    """One event, as it was recorded. Personal values are not here: see ``PersonalPart``."""

    id = models.BigAutoField(primary_key=True)
    public_id = models.UUIDField(_("id"))
    schema = models.SmallIntegerField(_("schema version"))
    stream_type = models.TextField(_("log"), choices=[(kind.value, kind.value) for kind in StreamType])
    stream_id = models.UUIDField(_("log of"))
    at = models.DateTimeField(_("time"))
    name = models.TextField(_("event"))
    outcome = models.TextField(_("outcome"), choices=[(outcome.value, outcome.value) for outcome in Outcome])
    reason = models.TextField(_("reason"), blank=True)
    actor_type = models.TextField(_("kind of actor"))
    actor_id = models.TextField(_("actor"), blank=True)
    on_behalf_of = models.TextField(_("on behalf of"), blank=True)
    session_id = models.TextField(_("session"), blank=True)
    auth_level = models.SmallIntegerField(_("assurance level"))
    auth_methods = ArrayField(models.TextField(), verbose_name=_("sign-in methods"))
    auth_at = models.DateTimeField(_("signed in"), null=True)
    target_type = models.TextField(_("kind of target"), blank=True)
    target_id = models.TextField(_("target"), blank=True)
    changes = models.JSONField(_("changes"))
    request_id = models.TextField(_("request"), blank=True)
    personal_commitment = models.BinaryField(
        _("commitment to the personal part"), null=True, max_length=HASH_BYTES
    )
    txid = TransactionIdField(db_default=CurrentTransactionId())

    if TYPE_CHECKING:
        sealed_leaf: Leaf
        personal: PersonalPart

    class Meta:
        db_table = "audit_event"
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")
        default_permissions = ("view",)
        constraints = (
            models.UniqueConstraint(fields=["public_id"], name="audit_event_public_id"),
            models.CheckConstraint(
                condition=Q(stream_type__in=[kind.value for kind in StreamType]),
                name="audit_event_stream_type",
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=[outcome.value for outcome in Outcome]), name="audit_event_outcome"
            ),
            models.CheckConstraint(
                condition=Q(stream_type__in=[StreamType.ORGANIZATION.value, StreamType.USER.value])
                & ~Q(stream_id=NOBODY)
                | Q(stream_type__in=[StreamType.STAFF.value, StreamType.SYSTEM.value], stream_id=NOBODY),
                name="audit_event_stream_owner",
            ),
        )
        indexes = (
            models.Index("stream_type", "stream_id", "id", name="audit_event_stream"),
            models.Index("stream_type", "stream_id", "name", "id", name="audit_event_stream_name"),
            models.Index("stream_type", "stream_id", "actor_id", "id", name="audit_event_stream_actor"),
            models.Index("actor_id", "id", name="audit_event_actor"),
            models.Index("txid", name="audit_event_txid"),
            BrinIndex("at", name="audit_event_at", autosummarize=True),
        )

    def __str__(self) -> str:
        return str(self.public_id)

    @property
    def sentence(self) -> str | Promise:
        """What happened, for a person; the bare name for an event retired since."""
        event = catalogue.find(self.name)
        return event.sentence if event else self.name

    @property
    def stream(self) -> Stream:
        """The log that it stands in."""
        return Stream(StreamType(self.stream_type), self.stream_id)

    @cached_property
    def leaf(self) -> Leaf | None:
        """The seal, or ``None`` until the sealer has passed."""
        try:
            return self.sealed_leaf
        except ObjectDoesNotExist:
            return None

    @cached_property
    def _personal(self) -> PersonalPart | None:
        try:
            return self.personal
        except ObjectDoesNotExist:
            return None

    @property
    def ip(self) -> str:
        """The client's address; empty when there was none or it has been erased."""
        return str(self._personal.ip or "") if self._personal else ""

    @property
    def ip_prefix(self) -> str:
        """The network that stands for the client; empty like ``ip``."""
        return self._personal.ip_prefix or "" if self._personal else ""

    @property
    def user_agent(self) -> str:
        """The client's own description of itself; empty like ``ip``."""
        return self._personal.user_agent if self._personal else ""

    @property
    def actor_label(self) -> str:
        """What the actor was called at the time; the actor's id where that is unknown or erased."""
        return (self._personal.actor_label if self._personal else "") or self.actor_id


class PersonalPart(models.Model):
    """The erasable half of an event: without salt and values the commitment in the log says nothing.

    Not updated by anyone; deleted one day by an eraser's own database role, never by the application's.
    """

    event = models.OneToOneField(
        Event, verbose_name=_("event"), primary_key=True, on_delete=models.PROTECT, related_name="personal"
    )
    salt = models.BinaryField(_("salt"), max_length=HASH_BYTES)
    ip = models.GenericIPAddressField(_("address"), null=True)
    ip_prefix = NetworkField(_("network"), null=True)
    user_agent = models.TextField(_("user agent"), blank=True)
    actor_label = models.TextField(_("name of the actor"), blank=True)

    class Meta:
        db_table = "audit_personal"
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.event_id)


class Leaf(models.Model):
    """The seal of an event: its place in its stream's Merkle tree, and what stands there."""

    event = models.OneToOneField(
        Event, verbose_name=_("event"), primary_key=True, on_delete=models.PROTECT, related_name="sealed_leaf"
    )
    stream_type = models.TextField(_("log"))
    stream_id = models.UUIDField(_("log of"))
    index = models.BigIntegerField(_("place"))
    leaf_hash = models.BinaryField(_("hash"), max_length=HASH_BYTES)
    sealed_at = models.DateTimeField(_("sealed"))

    class Meta:
        db_table = "audit_leaf"
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(fields=["stream_type", "stream_id", "index"], name="audit_leaf_place"),
            models.CheckConstraint(condition=Q(index__gte=0), name="audit_leaf_index"),
        )

    def __str__(self) -> str:
        return f"{self.stream_type}:{self.stream_id}:{self.index}"


class Sealer(models.Model):
    """How far the sealer has come; one row. Losing it costs one slow search, never an event.

    ``sealed_through``: every event of a transaction older than this has its leaf. ``cluster``: the
    database cluster whose transaction ids these are, for they mean nothing in another.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    sealed_through = TransactionIdField(default=0)
    cluster = models.TextField(default="")

    class Meta:
        db_table = "audit_sealer"
        default_permissions = ()
        constraints = (models.CheckConstraint(condition=Q(id=1), name="audit_sealer_one_row"),)

    def __str__(self) -> str:
        return str(self.pk)


class Checkpoint(models.Model):
    """A signed statement of a tree's size and root (C2SP tlog-checkpoint)."""

    id = models.BigAutoField(primary_key=True)
    origin = models.TextField(_("log's name"))
    size = models.BigIntegerField(_("events"))
    root = models.BinaryField(_("root"), max_length=HASH_BYTES)
    key_id = models.TextField(_("signing key"))
    signature = models.BinaryField(_("signature"))
    at = models.DateTimeField(_("time"))

    class Meta:
        db_table = "audit_checkpoint"
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(fields=["origin", "size", "key_id"], name="audit_checkpoint_size"),
            models.CheckConstraint(condition=Q(size__gte=0), name="audit_checkpoint_positive"),
        )

    def __str__(self) -> str:
        return f"{self.origin}:{self.size}"
