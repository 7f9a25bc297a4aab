"""The web server's process: gunicorn's threads, many of them, with patience for slow clients."""

from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from api.cli.patience import App, Patient, Watch
from geo.config import settings

THREADS = 256
"""Each client that sends or takes its bytes slowly holds one; those that wait cost little."""


class PatientWorker(ThreadWorker):
    """Serves as gthread does, and cuts off who finishes no request or takes no answer."""

    def init_process(self) -> None:
        self.watch = Watch()
        self.watch.start()
        super().init_process()

    def load_wsgi(self) -> None:
        super().load_wsgi()
        largest = settings().max_upload_mb * 1024 * 1024
        self.wsgi: App = Patient(self.app.wsgi(), self.watch, largest)

    def handle(self, conn: Any) -> Any:
        with self.watch.over(conn):
            return super().handle(conn)
