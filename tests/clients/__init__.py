"""Real clients of other vendors, each of which reports one chained error of examples/monolith.

    python -m tests.clients.rollbar_client http://127.0.0.1:8000 KEY

from the repository's root, with that client installed: none of them is in the lock.
"""
