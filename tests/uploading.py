"""A file that is uploaded to the service as a form's part."""

import urllib.error
import urllib.request
from http.client import HTTPException

from tests.served import Served

_ANSWER_S = 180


def upload(service: Served, secret: str, content: bytes) -> int:
    """Send a CSV file of households; the answer's status, 0 where none came."""
    mark = "ancu-upload"
    head = (
        f"--{mark}\r\nContent-Disposition: form-data; name=file; filename=households.csv\r\n"
        "Content-Type: text/csv\r\n\r\n"
    )
    asked = urllib.request.Request(
        f"{service.url}/api/v1/households",
        data=head.encode() + content + f"\r\n--{mark}--\r\n".encode(),
        headers={
            "Authorization": f"Bearer {secret}",
            "Content-Type": f"multipart/form-data; boundary={mark}",
        },
    )
    try:
        with urllib.request.urlopen(asked, timeout=_ANSWER_S) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except (OSError, HTTPException):
        return 0
