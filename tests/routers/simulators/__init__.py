"""Stand-ins for the vendors' servers: they refuse what those refuse, and answer as those answer.

Each is a callable that takes a request and answers it: a handler of `httpx.MockTransport`.
"""
