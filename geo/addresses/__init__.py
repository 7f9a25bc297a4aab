"""Vietnamese address text → the area that it names."""

from geo.addresses.resolver import UNRESOLVED, Resolution, Resolver, resolver

__all__ = ["UNRESOLVED", "Resolution", "Resolver", "resolver"]
