"""Every write of the rules: findings at a sign-in and in a session, findings of the sweep, and forgetting."""

from accounts.anomalies.actions.findings import PORTAL, forget_old
from accounts.anomalies.actions.sessions import judge_move, judge_sign_in
from accounts.anomalies.actions.sweeping import Sweep, sweep

__all__ = ["PORTAL", "Sweep", "forget_old", "judge_move", "judge_sign_in", "sweep"]
