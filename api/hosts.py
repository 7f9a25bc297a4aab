"""Names and addresses: which of them mean this machine, and which the service answers to."""

import ipaddress

from geo.config import settings


def is_loopback(host: str | None) -> bool:
    """Whether `host` (a name or an address without a port) is localhost or a loopback address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def is_known(host: str | None) -> bool:
    """Whether a request for `host` is for this service: a trusted name, or this machine's own."""
    return is_loopback(host) or (host or "").lower() in settings().hosts
