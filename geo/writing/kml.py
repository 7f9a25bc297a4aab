"""KML: one placemark a row, its columns as ExtendedData."""

from typing import BinaryIO
from xml.sax.saxutils import escape, quoteattr  # nosec B406: nothing is parsed

from geo.writing.extract import DEMO_NOTE, Advance, Extract, for_xml, unheard

_TELL_EVERY = 5_000
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<kml xmlns="http://www.opengis.net/kml/2.2"><Document><name>{name}</name>{note}\n'
)


def write(extract: Extract, out: BinaryIO, _bom: bool, advance: Advance = unheard) -> int:
    """A Document in EPSG:4326; a record without a point is a placemark without a place.

    The first column is the placemark's name. Characters that XML cannot hold are left out.
    """
    note = f"<description>{escape(DEMO_NOTE)}</description>" if extract.demo else ""
    out.write(_HEAD.format(name=escape(extract.name), note=note).encode())
    names = extract.names
    lon, lat = names.index("lon"), names.index("lat")
    opened = [f"<Data name={quoteattr(name)}><value>" for name in names]
    told = [place for place in range(len(names)) if place not in (lon, lat)]
    count = 0
    for row in extract.cells():
        texts = ["" if cell is None else escape(for_xml(str(cell))) for cell in row]
        data = "".join(f"{opened[i]}{texts[i]}</value></Data>" for i in told if row[i] is not None)
        point = ""
        if row[lon] is not None:
            point = f"<Point><coordinates>{texts[lon]},{texts[lat]}</coordinates></Point>"
        out.write(
            f"<Placemark><name>{texts[0]}</name><ExtendedData>{data}</ExtendedData>{point}"
            "</Placemark>\n".encode()
        )
        count += 1
        if count % _TELL_EVERY == 0:
            advance(count)
    out.write(b"</Document></kml>\n")
    advance(count)
    return count
