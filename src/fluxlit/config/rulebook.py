"""What a rule is, and how a book of them is written and asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Final
from urllib.parse import SplitResult, urlsplit

from fluxlit._credentials import without_password
from fluxlit.config.deployment import Deployment
from fluxlit.config.findings import Finding, Level

LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})

Judge = Callable[[Deployment], str]
"""Returns what is wrong with a deployment, or an empty string."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that can be wrong.

    Attributes:
        name: As ``fluxlit config`` reports it.
        check: The row of ``fluxlit doctor`` that it belongs to.
        remedy: What to do when it fires.
        level: How bad it is then.
        judge: The question.
    """

    name: str
    check: str
    remedy: str
    level: Level
    judge: Judge

    def ask(self, deployment: Deployment) -> Finding | None:
        """Apply the rule; None when it has nothing to say."""
        message = self.judge(deployment)
        if not message:
            return None
        doc = f"docs/doctor.md#{self.name}"
        return Finding(self.name, self.level, message, self.remedy, doc, self.check)


class RuleBook:
    """Rules in the order in which they were written.

    Args:
        chapters: Books whose rules come first.
    """

    def __init__(self, *chapters: RuleBook) -> None:
        self._rules: list[Rule] = [rule for chapter in chapters for rule in chapter]

    def __iter__(self) -> Iterator[Rule]:
        """Iterate over the rules."""
        return iter(self._rules)

    def rule(
        self, check: str, remedy: str, level: Level = Level.WARNING
    ) -> Callable[[Judge], Judge]:
        """Enter a function into the book under its own name, without its leading underscore."""

        def enter(judge: Judge) -> Judge:
            self._rules.append(Rule(judge.__name__.lstrip("_"), check, remedy, level, judge))
            return judge

        return enter


def when(condition: object, message: str) -> str:
    """Return the message if something is so.

    >>> when(1 > 2, "the world is upside down")
    ''
    """
    return message if condition else ""


def site_of(url: str) -> SplitResult | None:
    """Read the absolute http(s) URL of a site; None for anything else.

    >>> site_of("https://desk.example/app").hostname, site_of("desk.example"), site_of("http://a/?b")
    ('desk.example', None, None)
    """
    try:
        parts = urlsplit(url.strip())
        _ = parts.port  # a port that is no number shows here
    except ValueError:
        return None
    plain = not (parts.query or parts.fragment or parts.username or parts.password)
    return parts if parts.scheme in {"http", "https"} and parts.hostname and plain else None


def is_everybody(proxy: str) -> bool:
    """Tell whether one of ``forwarded_allow_ips`` stands for all peers there are.

    >>> is_everybody("*"), is_everybody("0.0.0.0/0"), is_everybody("10.0.0.0/8")
    (True, True, False)
    """
    if proxy in {"*", "unix"}:
        return proxy == "*"
    return ip_network(proxy, strict=False).prefixlen == 0


def shown(url: str) -> str:
    """Return a URL as a message may show it: without user and password.

    >>> shown("https://me:s3cret@desk.example/app")
    "'https://desk.example/app'"
    """
    return repr(without_password(url))
