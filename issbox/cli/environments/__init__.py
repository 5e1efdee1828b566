"""Commands about lifecycle environments and what they hold."""
