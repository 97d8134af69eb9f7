# The one place of the version. While it is being made it ends in .devN (CONTRIBUTING.md, "Releases").
__version__ = "0.1.0.dev0"
