"""Onward to Sentry: every envelope that a Sentry SDK sent, with its owner on each error event."""
