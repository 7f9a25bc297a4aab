"""How long Chromium takes until a map of the country can be used."""

import logging
import time
from statistics import median

from flask import Flask

from geo import db
from geo.scope import OPERATOR
from tests import people
from tests.browsing import chromium, serving
from web import assets

TRIES = 3


def interactive_s(app: Flask, url: str) -> float:
    """Seconds from the request for the map page until areas and first tiles are drawn.

    The median of tries with an empty cache each.
    """
    assets.copy()
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # the table alone is to be printed
    with db.transaction(url, scope=OPERATOR) as conn:
        cookie = people.cookie(app, conn)
    took = []
    with serving(app) as address, chromium() as browser:
        for _ in range(TRIES):
            context = browser.new_context(viewport={"width": 1280, "height": 800})
            context.add_cookies([{**cookie, "domain": "127.0.0.1"}])
            page = context.new_page()
            start = time.perf_counter()
            page.goto(f"{address}/map/VN")
            page.wait_for_selector(".map[data-ready=areas][data-view=ready]", timeout=60_000)
            took.append(time.perf_counter() - start)
            context.close()
    return median(took)
