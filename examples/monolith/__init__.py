"""A small monolith of several teams, whose errors are real and reported by the real Sentry SDK."""
