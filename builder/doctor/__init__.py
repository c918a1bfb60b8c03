"""Checks of the host with finding and remedy; the catalogue of known errors."""
