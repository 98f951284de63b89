"""Pieces that pages are made of: escape-safe HTML builders, inline SVG plots, and wiring that every page repeats."""
