"""The use cases: what front ends and jobs call."""
