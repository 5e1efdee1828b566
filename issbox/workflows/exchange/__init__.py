"""What boxes tell each other besides bundles: receipts, re-request slips, and pushing over SSH."""
