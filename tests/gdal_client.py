"""GDAL as a client of /ogc: the service in a process of its own, a token, and reading a layer."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import geopandas
import pyogrio

from tests.ogc_world import Service


@contextmanager
def served(service: Service) -> Iterator[str]:
    """The service as it really runs, in a process of its own: GDAL keeps Python's lock as it asks.

    Its socket listens before it starts, so that nobody has to wait for it.
    """
    with socket.create_server(("127.0.0.1", 0)) as listening:
        file = listening.fileno()
        command = ["-m", "gunicorn", "web.app:create_app()", f"--bind=fd://{file}", "--threads=2"]
        server = subprocess.Popen(
            [sys.executable, *command, "--log-level=warning"],
            pass_fds=(file,),
            env={**os.environ, "DATABASE_URL": service.url},
        )
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/ogc"
        server.terminate()
        server.wait(timeout=30)


@contextmanager
def token(service: Service) -> Iterator[None]:
    """GDAL sends the token of the service meanwhile."""
    options = {"GDAL_HTTP_AUTH": "BEARER", "GDAL_HTTP_BEARER": service.token}
    pyogrio.set_gdal_config_options(options)
    yield
    pyogrio.set_gdal_config_options(dict.fromkeys(options))


def read(address: str, layer: str, **options: Any) -> geopandas.GeoDataFrame:
    """The rows of a collection that GDAL finds."""
    return geopandas.read_file(f"OAPIF:{address}", layer=layer, engine="pyogrio", **options)
