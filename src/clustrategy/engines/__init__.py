"""Adapters: strategies as other packages compute them, one file a package."""
