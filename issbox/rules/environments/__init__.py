"""Rules about lifecycle environments: their order, and what promotions change and mean."""
