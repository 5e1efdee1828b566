"""Commands about bundles: writing, taking in, pushing, receipts, and whom to trust."""
