"""Copies the few browser files that pages need from node_modules to where they are served.

`python -m web.assets` does it at set-up; nothing of it is committed.
"""

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENDOR = ROOT / "static" / "vendor"
NODE_MODULES = ROOT.parent / "node_modules"

WEIGHTS = (400, 600, 700)
ALPHABETS = ("vietnamese", "latin-ext", "latin")

FILES: dict[str, str] = {
    "leaflet/dist/leaflet.js": "leaflet.js",
    "leaflet/dist/leaflet.css": "leaflet.css",
    "leaflet/dist/images/layers.png": "images/layers.png",
    "leaflet/dist/images/layers-2x.png": "images/layers-2x.png",
    "leaflet/LICENSE": "leaflet.LICENSE.txt",
    "leaflet.vectorgrid/dist/Leaflet.VectorGrid.bundled.min.js": "vectorgrid.js",
    # Only for a background from a PMTiles file: pictures by the first, vectors by the second.
    "pmtiles/dist/pmtiles.js": "pmtiles.js",
    "protomaps-leaflet/dist/protomaps-leaflet.js": "protomaps-leaflet.js",
    "protomaps-leaflet/LICENSE": "protomaps-leaflet.LICENSE.txt",
    "@fontsource/be-vietnam-pro/LICENSE": "be-vietnam-pro.LICENSE.txt",
    # Of printed reports (geo/report): browsers' fonts come in pieces, a PDF needs them whole.
    "dejavu-fonts-ttf/ttf/DejaVuSans.ttf": "fonts/DejaVuSans.ttf",
    "dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf": "fonts/DejaVuSans-Bold.ttf",
    "dejavu-fonts-ttf/LICENSE": "dejavu.LICENSE.txt",
} | {
    f"@fontsource/be-vietnam-pro/files/be-vietnam-pro-{alphabet}-{weight}-normal.woff2": (
        f"fonts/be-vietnam-pro-{alphabet}-{weight}.woff2"
    )
    for weight in WEIGHTS
    for alphabet in ALPHABETS
}
"""Path below node_modules → path below static/vendor."""


def missing() -> list[str]:
    """The files that pages would ask for in vain."""
    return [name for name in FILES.values() if not (VENDOR / name).is_file()]


def copy(source: Path = NODE_MODULES, target: Path = VENDOR) -> None:
    """Copy all FILES; raises FileNotFoundError that names the first one `source` lacks."""
    for origin, name in FILES.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / origin, target / name)


def main() -> int:
    try:
        copy()
    except FileNotFoundError as error:
        print(f"{error.filename} is missing: run `npm ci` first.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
