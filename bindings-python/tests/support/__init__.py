"""Helpers for the tests: a recording server, calls by name, and the credentials."""
