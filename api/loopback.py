"""Whether a host name means this machine only; until accounts exist nothing else is served."""

import ipaddress


def is_loopback(host: str | None) -> bool:
    """Whether `host` (a name or an address without a port) is localhost or a loopback address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
