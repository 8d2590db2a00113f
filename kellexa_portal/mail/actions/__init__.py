"""Every write to the outbox: ``outbox`` puts mails in, ``delivery`` sends them, ``upkeep`` is for staff."""
