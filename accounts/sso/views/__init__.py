"""Pages of single sign-on: for who sets it up, and for who comes in by it."""
