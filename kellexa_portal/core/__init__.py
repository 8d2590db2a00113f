"""What every app stands on: errors, the actor, request context, jobs, ids, pages of a list."""
