"""Keeping the portal running: health for load balancers and people on call."""
