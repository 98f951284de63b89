"""Procedural problems of the demo: pure, seeded generators whose every step is checked. Toys, not for clinical use."""
