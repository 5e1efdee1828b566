"""Lifecycle environments and what they hold: promoting, demoting, overriding."""
