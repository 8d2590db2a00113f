"""Every write to a recovery: asked for and approved, stopped, moved on by the clock, finished, kept."""
