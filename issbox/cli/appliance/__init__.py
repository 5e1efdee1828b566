"""Commands about the box itself and the people who use it."""
