"""What a browser says of itself, in words by which its owner knows it again."""

_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("coc_coc_browser", "Cốc Cốc"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)
_LONGEST = 40


def device(agent: str) -> str:
    """Browser and system, such as `Chrome · Android`; of an unknown one, what it says itself."""
    known = [_first(agent, names) for names in (_BROWSERS, _SYSTEMS)]
    return " · ".join(filter(None, known)) or agent[:_LONGEST] or "–"


def _first(agent: str, names: tuple[tuple[str, str], ...]) -> str:
    return next((name for part, name in names if part in agent), "")
