"""Receives error events, remembers them, and runs the rest: the only package with a database."""
