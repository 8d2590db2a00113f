"""Every write to sessions, one module for each part of their life."""

from accounts.sessions.actions.ending import (
    end_expired,
    end_session,
    end_sessions,
    expire,
    forget_old,
    raise_epoch,
    sign_out,
)
from accounts.sessions.actions.errors import SignInLapsedError, UnprovenDeviceError
from accounts.sessions.actions.evidence import authentication_of, note_export
from accounts.sessions.actions.opening import complete_login
from accounts.sessions.actions.proving import require_fresh_proof, reverify, spend_grant, step_up
from accounts.sessions.actions.trusting import (
    TrustRefusedError,
    forget_browser,
    forget_browsers,
    forget_browsers_of_members,
    forget_void,
    trust_browser,
    use_trust,
)
from accounts.sessions.actions.use import claim_mark, follow, see

__all__ = [
    "SignInLapsedError",
    "TrustRefusedError",
    "UnprovenDeviceError",
    "authentication_of",
    "claim_mark",
    "complete_login",
    "end_expired",
    "end_session",
    "end_sessions",
    "expire",
    "follow",
    "forget_browser",
    "forget_browsers",
    "forget_browsers_of_members",
    "forget_old",
    "forget_void",
    "note_export",
    "raise_epoch",
    "require_fresh_proof",
    "reverify",
    "see",
    "sign_out",
    "spend_grant",
    "step_up",
    "trust_browser",
    "use_trust",
]
