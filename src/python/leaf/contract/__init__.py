"""What the engine and Python say to each other. The modules are written by `npm run contract`."""

from msgspec import Struct


class Loose(Struct, frozen=True, rename="camel"):
    """Keys that it does not know are let pass."""


class Strict(Loose, frozen=True, forbid_unknown_fields=True):
    """An unknown key is wrong."""
