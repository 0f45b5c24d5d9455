"""The version, in one place: read by the build, the command line and the health answer."""

__version__ = "1.0.0a1"
