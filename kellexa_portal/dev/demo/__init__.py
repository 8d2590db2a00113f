"""Invented people, organizations and keys for development; everything in it is plainly a demo."""
