"""A stand-in for the app that lets in bearer tokens only."""

__version__ = "0.0.1"
__branch__ = "main"
