"""The Candlepin-compatible API: one table of routes, from which dispatch, validation and the OpenAPI document come."""
