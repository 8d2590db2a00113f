"""Every write of identity, one module a noun."""
