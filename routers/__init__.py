"""Owner → alert channel: a router here takes an alert to a team.

Nothing in this package is an HTTP router; HTTP endpoints live in service/endpoints/.
"""
