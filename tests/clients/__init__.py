"""Real clients of other vendors, each of which reports one chained error of a shop.

    python -m tests.clients.rollbar_client http://127.0.0.1:8000 KEY

from the repository's root, with that client installed: none of them is in the project's lock.
`make clients` installs and runs them all: table.py has what each must bring, and installed.py,
run.py, tap.py, arrived.py and page.py are the way from there to docs/clients.md.
"""
