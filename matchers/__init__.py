"""Event → owner. Pure: no clock, no network, no database; never imports routers or service."""
