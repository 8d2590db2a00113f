"""HTTP of identity, one module a task of the visitor."""
