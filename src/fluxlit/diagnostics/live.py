"""Examine a running service from outside, through whatever proxies stand between.

Every answer is read up to a bound, every wait has an end, and no page is run.
"""

from __future__ import annotations

import re
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urljoin, urlsplit

import httpx2

from fluxlit._credentials import without_password
from fluxlit._paths import normalize
from fluxlit._types import JsonValue
from fluxlit.config.findings import Finding, Level, passed
from fluxlit.diagnostics.live_socket import websocket
from fluxlit.health import HEALTH_PATH, READY_PATH
from fluxlit.reflection import REFLECTION_PATH

PATIENCE: Final = 10.0
"""Seconds for one answer."""

MAX_SKEW: Final = 5.0
"""Seconds that two clocks may differ."""

MAX_ANSWER: Final = 4 << 20
"""Bytes that are read of one answer."""

_ASSET: Final = re.compile(r'(?:src|href)="([^"]+\.js)"')


@dataclass(frozen=True, slots=True)
class Place:
    """A running service.

    Attributes:
        url: Where browsers find it, without credentials and final slash.
        prefix: The API under it.
        ui_path: The UI under it.
        credentials: ``user:password``, escaped as in a URL, if a proxy asks for them.
    """

    url: str
    prefix: str = "/api"
    ui_path: str = ""
    credentials: str = field(default="", repr=False)

    @classmethod
    def at(cls, url: str, prefix: str = "/api", ui_path: str = "") -> Place:
        """Return the place of a URL as people write it.

        >>> Place.at("https://me:s3cret@desk.example/")
        Place(url='https://desk.example', prefix='/api', ui_path='')
        """
        netloc = url.partition("://")[2].partition("/")[0]
        return cls(without_password(url).rstrip("/"), prefix, ui_path, netloc.rpartition("@")[0])

    @property
    def ui(self) -> str:
        """Address of the UI's root."""
        return f"{self.url}{self.ui_path}/"

    @property
    def api(self) -> str:
        """Address of the API, without a final slash."""
        return f"{self.url}{self.prefix}"

    def authorization(self) -> dict[str, str]:
        """Return the header that carries the credentials (RFC 7617), if there are any."""
        if not self.credentials:
            return {}
        user, _, password = self.credentials.partition(":")
        plain = f"{unquote(user)}:{unquote(password)}".encode()
        return {"Authorization": f"Basic {b64encode(plain).decode('ascii')}"}


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, as far as it matters; ``status`` 0 says that none came, ``text`` why."""

    status: int
    text: str = ""
    headers: httpx2.Headers = field(default_factory=httpx2.Headers)

    def json(self) -> dict[str, JsonValue]:
        """Return the JSON object that came; an empty one for anything else."""
        try:
            found = httpx2.Response(200, text=self.text).json()
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


Fetch = Callable[[str], Answer]


class Visitor:
    """Asks as a browser does, without following redirects.

    Args:
        place: Where credentials are for; other sites that a page names get none.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._client = httpx2.Client(timeout=PATIENCE, headers={"user-agent": "fluxlit-doctor"})

    def __call__(self, url: str) -> Answer:
        """Ask for a URL."""
        data = b""
        headers = {"accept-encoding": "gzip"}
        if url.startswith(f"{self._place.url}/"):
            headers |= self._place.authorization()
        try:
            with self._client.stream("GET", url, headers=headers) as response:
                for piece in response.iter_bytes():
                    data += piece
                    if len(data) > MAX_ANSWER:
                        break
                text = data.decode(errors="replace")
                return Answer(response.status_code, text, response.headers)
        except (httpx2.HTTPError, httpx2.InvalidURL) as exc:
            return Answer(0, f"{type(exc).__name__}: {exc}".rstrip(": "))

    def close(self) -> None:
        """Drop the connections."""
        self._client.close()


def examine(place: Place, mount: str | None = None) -> Iterator[Finding]:
    """Look at a running service.

    Args:
        place: Where it is.
        mount: The path under which it believes to live; None if that is not known.
    """
    visitor = Visitor(place)
    try:
        index = visitor(place.ui)
        if index.status == 0:
            remedy = "is it running, and does this address lead to it?"
            yield Finding("live.reachable", Level.ERROR, f"{place.ui}: {index.text}", remedy)
            return
        yield from reachable(place, index)
        yield from probes(place, visitor)
        yield from sub_path(place, index, visitor, mount)
        yield from reflected(place, visitor)
        yield from websocket(place.ui, PATIENCE, place.authorization())
    finally:
        visitor.close()


def reachable(place: Place, index: Answer) -> Iterator[Finding]:
    """Look at the UI's root."""
    is_html = "text/html" in index.headers.get("content-type", "")
    if index.status == 200 and is_html:
        yield passed("live.reachable", f"{place.ui} answers with a page")
        return
    message = f"{place.ui} answers {index.status}, not a page"
    remedy = "look at the logs of the proxy and the service"
    if 300 <= index.status < 400:
        elsewhere = without_password(index.headers.get("location", "?"))
        remedy = f"it leads to {elsewhere}; ask that address"
    yield Finding("live.reachable", Level.ERROR, message, remedy)


def probes(place: Place, fetch: Fetch) -> Iterator[Finding]:
    """Ask for liveness and readiness."""
    for name, path, word in (("health", HEALTH_PATH, "ok"), ("ready", READY_PATH, "ready")):
        answer = fetch(f"{place.api}{path}")
        said = answer.json()
        if answer.status == 200 and said.get("status") in {word, "degraded"}:
            yield passed(f"live.{name}", f"{path} says {said['status']}")
            continue
        told = said.get("detail") or answer.text[:80] or "nothing"
        message = f"{place.api}{path} answers {answer.status}: {told}"
        remedy = "let the proxy pass the whole app on, or name the API's prefix"
        yield Finding(f"live.{name}", Level.ERROR, message, remedy)


def sub_path(place: Place, index: Answer, fetch: Fetch, mount: str | None) -> Iterator[Finding]:
    """Follow a link of the page: the paths must fit what the browser sees."""
    path = normalize(urlsplit(place.url).path)
    if mount is not None and mount != path:
        message = f"the service believes to live under {mount or '/'}, browsers see {path or '/'}"
        yield Finding("live.sub_path", Level.ERROR, message, f"set root_path to {path or '/'}")
        return
    found = _ASSET.search(index.text)
    if found is None:
        yield passed("live.sub_path", "the page has no script to try")
        return
    url = urljoin(place.ui, found[1])
    answer = fetch(url)
    if answer.status != 200 or "javascript" not in answer.headers.get("content-type", ""):
        message = f"the page's script {url} answers {answer.status}"
        yield Finding("live.sub_path", Level.ERROR, message, "set root_path to the public path")
        return
    yield passed("live.sub_path", f"scripts are found under {path or '/'}")
    yield from compression(answer)


def compression(script: Answer) -> Iterator[Finding]:
    """Look whether a script comes compressed."""
    encoding = script.headers.get("content-encoding", "")
    if encoding:
        yield passed("live.compression", f"scripts come as {encoding}")
        return
    message = "scripts come uncompressed"
    remedy = "let the proxy pass Accept-Encoding on, or compress there"
    yield Finding("live.compression", Level.WARNING, message, remedy)


def reflected(place: Place, fetch: Fetch) -> Iterator[Finding]:
    """Compare how the service sees this request with how it was sent."""
    said = fetch(f"{place.api}{REFLECTION_PATH}").json()
    if "scheme" not in said:
        message = f"{place.api}{REFLECTION_PATH} does not tell how requests arrive"
        yield Finding("live.forwarded", Level.WARNING, message, "let the app object serve the API")
        return
    yield from forwarded(place, said)
    yield from clock(said)


def forwarded(place: Place, said: dict[str, JsonValue]) -> Iterator[Finding]:
    """Judge scheme, host and visitor as the service sees them."""
    public = urlsplit(place.url)
    trust = "set trust_proxy and forwarded_allow_ips, and let the proxy send X-Forwarded-Proto"
    if said["scheme"] == public.scheme:
        yield passed("live.scheme", f"the service sees {public.scheme}")
    else:
        message = f"browsers use {public.scheme}, the service sees {said['scheme']}"
        yield Finding("live.scheme", Level.ERROR, message, trust)
    if str(said["host"]).lower() == public.netloc.lower():
        yield passed("live.host", f"the service sees {said['host']}")
    else:
        message = f"browsers ask for {public.netloc}, the service sees {said['host']}"
        remedy = "let the proxy pass Host on (nginx: proxy_set_header Host $http_host)"
        yield Finding("live.host", Level.ERROR, message, remedy)
    forwarding = said.get("forwarded")
    named, believed = (
        (forwarding.get("named"), forwarding.get("believed"))
        if isinstance(forwarding, dict)
        else (False, False)
    )
    if named and not believed:
        message = f"a proxy names the visitor, but is not believed ({said['client']} peer)"
        yield Finding("live.client", Level.WARNING, message, trust)
    else:
        whose = "the proxy's word" if named else "the connection"
        yield passed("live.client", f"a {said['client']} address, by {whose}")


def clock(said: dict[str, JsonValue]) -> Iterator[Finding]:
    """Compare the service's clock with this machine's."""
    there = said.get("time")
    skew = abs(time.time() - there) if isinstance(there, int | float) else 0.0
    if skew > MAX_SKEW:
        message = f"the clocks differ by {skew:.0f} s: tokens may seem expired or not yet valid"
        yield Finding("live.clock", Level.WARNING, message, "set both by NTP")
    else:
        yield passed("live.clock", "the clocks agree")
