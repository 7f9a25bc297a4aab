"""Vietnamese address text → the area that it names."""

from geo.addresses.resolver import UNRESOLVED, Match, Resolution, Resolver, resolver

__all__ = ["UNRESOLVED", "Match", "Resolution", "Resolver", "resolver"]
