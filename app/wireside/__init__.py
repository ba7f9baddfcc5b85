"""Wireside: a ringside seat in the Linux network stack."""

__version__ = "0.1.0"
