"""The inbox: observer, settling and the service around them."""
