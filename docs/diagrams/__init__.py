"""Diagrams of the documentation, each a module whose ``draw()`` returns SVG."""
