"""Subscription manifests: importing, refreshing and deleting them, and what opens the CDN."""
