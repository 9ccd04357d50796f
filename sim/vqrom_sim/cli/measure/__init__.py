"""Commands that measure or estimate what an accelerator takes, beside those that run networks."""

__all__ = []
