"""Which UI worker serves a visitor, and the cookie that makes it stay so. Pure.

A tab's session lives in one worker, and so do its uploads, downloads and media; every request of
the tab has to reach that worker, whichever gateway worker decides. What decides is what the request
brings, so that all decide alike:

* A signed **pin** in a cookie names a worker by slot and generation, and the visitor by random
  bits.
* Once a worker is on its way out, what begins anew goes to its successor in the same slot; what
  belongs to a page that is open, such as an upload, still to it.
* While a worker's loop stands still, its page's requests are told to come again; what begins anew
  goes elsewhere.
* The pin of a worker that is gone still names the visitor: rendezvous hashing over the workers
  that are there sends all tabs of one browser the same way, and the visitors of one lost worker
  to all.
* Without a pin, a page's load goes to the least loaded worker and brings a pin.
* Anything else without a pin comes from somebody who refuses cookies (or whose page was loaded
  before the workers were several). The slot is then hashed from address and browser, and never from
  who is alive: the visitor waits for a worker that is being replaced, as its uploads must.

Rendezvous hashing: Thaler and Ravishankar, "Using name-based mappings to increase hit rates",
1998.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, NamedTuple

from fluxlit.gateway.upstream import Member

COOKIE_NAME: Final = b"fluxlit_ui"
_LABEL: Final = b"fluxlit affinity"
_SIGNATURE_BYTES: Final = 16
_VISITOR_DIGITS: Final = 16


class Pin(NamedTuple):
    """What the cookie says.

    Attributes:
        visitor: 16 hexadecimal digits that name the browser.
        slot: The worker's slot.
        generation: The worker's birth.
    """

    visitor: str
    slot: int
    generation: int


@dataclass(frozen=True, slots=True)
class Ask:
    """What is known of one request.

    Attributes:
        pin: The valid pin that it brought.
        visitor: Random digits for a browser that has no pin yet.
        traits: Address and browser of the visitor.
        starts: Whether it begins something that stays: a page's load, a WebSocket's handshake.
        is_page: Whether it is a page's load.
    """

    pin: Pin | None
    visitor: str
    traits: bytes
    starts: bool
    is_page: bool


class Choice(NamedTuple):
    """A worker to try.

    Attributes:
        member: The worker.
        pin: What the visitor's cookie is to say from now on; ``None`` leaves it as it is.
    """

    member: Member
    pin: Pin | None = None


def choose(ask: Ask, members: Sequence[Member]) -> list[Choice]:
    """Return the workers to try, the best one first; none if there is none to try now."""
    pinned = _pinned(ask, members)
    visitor = ask.pin.visitor if ask.pin else ask.visitor
    if pinned is not None:
        others = ranked(visitor.encode(), [it for it in _open(members) if it is not pinned])
        first = Choice(pinned) if _is_of(ask.pin, pinned) else _pinning(visitor, [pinned])[0]
        return [first, *_pinning(visitor, others)]
    if not ask.starts and any(it.stuck and _is_of(ask.pin, it) for it in members):
        return []
    if ask.pin is not None:
        return _pinning(visitor, ranked(visitor.encode(), _open(members)))
    if ask.is_page:
        return _pinning(visitor, _least_loaded(visitor.encode(), _open(members)))
    return _by_traits(ask, members)


def ranked(key: bytes, members: Iterable[Member]) -> list[Member]:
    """Order workers for a key by rendezvous hashing: who leaves or joins moves only its own."""
    return sorted(members, key=lambda member: _weight(key, member.slot), reverse=True)


def _pinned(ask: Ask, members: Sequence[Member]) -> Member | None:
    """Return the worker of a pin: the very one, or for what begins anew its successor."""
    if ask.pin is None:
        return None
    own = next((it for it in members if it.serves and _is_of(ask.pin, it)), None)
    if own is None or own.welcomes or not ask.starts:
        return own
    return next((it for it in members if it.slot == own.slot and it.welcomes), own)


def _is_of(pin: Pin | None, member: Member) -> bool:
    return pin is not None and (pin.slot, pin.generation) == (member.slot, member.generation)


def _open(members: Sequence[Member]) -> list[Member]:
    """Return who takes new visitors; if nobody does, who serves at all."""
    return [it for it in members if it.welcomes] or [it for it in members if it.serves]


def _least_loaded(key: bytes, members: Iterable[Member]) -> list[Member]:
    return sorted(members, key=lambda member: (member.load, -_weight(key, member.slot)))


def _pinning(visitor: str, members: Iterable[Member]) -> list[Choice]:
    return [Choice(it, Pin(visitor, it.slot, it.generation)) for it in members]


def _by_traits(ask: Ask, members: Sequence[Member]) -> list[Choice]:
    newest = {member.slot: member for member in sorted(members, key=lambda it: it.generation)}
    # One elsewhere that does not answer may be gone for good; nobody here replaces it.
    there = [it for it in newest.values() if it.serves or it.upstream.managed]
    if not there:
        return []
    slot = ranked(ask.traits, there)[0].slot
    serving = [it for it in members if it.slot == slot and it.serves]
    return (
        _pinning(ask.visitor, serving[-1:]) if ask.starts else [Choice(it) for it in serving[-1:]]
    )


def _weight(key: bytes, slot: int) -> int:
    digest = blake2b(key, digest_size=8, salt=slot.to_bytes(4, "big")).digest()
    return int.from_bytes(digest, "big")


class PinCodec:
    """Writes and reads the cookie of one public address.

    Args:
        secret: The service's secret, the same in all gateway workers.
        path: Public path of the UI, raw; the cookie goes nowhere else.
    """

    __slots__ = ("_key", "_path")

    def __init__(self, secret: str, path: bytes) -> None:
        self._key = hmac.digest(secret.encode(), _LABEL, "sha256")
        self._path = path or b"/"

    def read(self, cookies: Iterable[bytes], host: bytes) -> Pin | None:
        """Find the pin among ``Cookie`` headers.

        Several cookies may have the name, when another service stands on a path above; the one
        whose signature holds is ours.
        """
        wanted = cookie_name(host) + b"="
        for header in cookies:
            for pair in header.split(b";"):
                if pair.strip().startswith(wanted):
                    pin = self._verified(pair.strip()[len(wanted) :])
                    if pin is not None:
                        return pin
        return None

    def write(self, pin: Pin, host: bytes, scheme: str) -> bytes:
        """Write the value of ``Set-Cookie``.

        On https the cookie also works in a frame of another site, kept apart for each of those
        (https://developer.mozilla.org/docs/Web/Privacy/Guides/Privacy_sandbox/Partitioned_cookies).
        """
        value = b"%s.%d.%d" % (pin.visitor.encode(), pin.slot, pin.generation)
        site = b"SameSite=None; Secure; Partitioned" if scheme == "https" else b"SameSite=Lax"
        parts = (cookie_name(host), value, self._sign(value), self._path, site)
        return b"%s=%s.%s; Path=%s; HttpOnly; %s" % parts

    def _verified(self, text: bytes) -> Pin | None:
        value, _, signature = text.rpartition(b".")
        if not hmac.compare_digest(signature, self._sign(value)):
            return None
        visitor, slot, generation = value.decode("ascii").split(".")
        return Pin(visitor, int(slot), int(generation))

    def _sign(self, value: bytes) -> bytes:
        return hmac.digest(self._key, value, "sha256")[:_SIGNATURE_BYTES].hex().encode()


def cookie_name(host: bytes) -> bytes:
    """Name the cookie after the public port, which browsers do not tell cookies apart by.

    >>> cookie_name(b"localhost:8501"), cookie_name(b"example.org"), cookie_name(b"[::1]:80")
    (b'fluxlit_ui_8501', b'fluxlit_ui', b'fluxlit_ui_80')
    """
    port = host.rpartition(b"]")[2].partition(b":")[2]
    return b"%s_%s" % (COOKIE_NAME, port) if port else COOKIE_NAME


def without_pins(header: bytes) -> bytes:
    """Drop the gateway's own cookies from a ``Cookie`` header; the rest stays byte for byte.

    >>> without_pins(b"a=1; fluxlit_ui_80=x.0.1.y; b=2"), without_pins(b"a=1;b=2")
    (b'a=1; b=2', b'a=1;b=2')
    """
    if COOKIE_NAME not in header:
        return header
    pairs = header.split(b";")
    kept = [pair for pair in pairs if not pair.strip().startswith(COOKIE_NAME)]
    return b";".join(kept).strip()
