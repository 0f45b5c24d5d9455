from __future__ import annotations

import socket

import pytest

from fluxlit.runtime.banner import Address, Crew, banner, workbench_hints


def test_it_names_what_a_person_may_want_to_open() -> None:
    text = banner(Address("127.0.0.1", 8000, title="Desk"), 1.26, Crew(1, 1))
    assert "Desk is ready in 1.3 s" in text
    assert "Workers" not in text
    assert [line.split()[-1] for line in text.splitlines() if "http" in line] == [
        "http://127.0.0.1:8000/",
        "http://127.0.0.1:8000/api/",
        "http://127.0.0.1:8000/api/docs",
        "http://127.0.0.1:8000/api/healthz",
    ]


def test_it_says_how_many_serve_when_there_are_several() -> None:
    assert "  Workers   2 gateway, 4 UI\n" in banner(Address("h", 1), 1.0, Crew(2, 4))


def test_mount_prefix_and_ui_path_are_in_the_addresses() -> None:
    address = Address("h", 1, mount="/m", prefix="", ui="/ui", docs=None)
    assert address.lines() == [
        ("UI", "http://h:1/m/ui/"),
        ("API", "http://h:1/m/"),
        ("Health", "http://h:1/m/healthz"),
    ]


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::", "http://[::1]:80"),
        ("", "http://127.0.0.1:80"),
        ("fe80::1", "http://[fe80::1]:80"),
        ("desk.example", "http://desk.example:80"),
    ],
)
def test_the_origin_can_be_typed_into_a_browser(host: str, origin: str) -> None:
    assert Address(host, 80).origin == origin


def test_a_workers_report_is_read_and_what_it_leaves_out_has_a_default() -> None:
    address = Address.from_message(
        {"event": "loaded", "host": "h", "port": 0, "title": "T", "docs": None}
    )
    assert (address.title, address.docs, address.grace) == ("T", None, 30.0)
    assert Address.from_message({"host": "h", "port": 0, "grace": 5.0}).grace == 5.0


def test_the_port_that_the_system_gave_is_shown() -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        assert Address("127.0.0.1", 0).bound_to(sock).port == sock.getsockname()[1]


@pytest.mark.parametrize(
    ("mount", "environ", "told", "untold"),
    [
        ("", {}, "rserver-url 8000", "Ports tab"),
        ("/s/abc/p/8000", {}, "/s/abc/p/8000/api/healthz", "rserver-url"),
        ("", {"RS_SERVER_URL": "https://w.example/"}, "Ports tab of https://w.example/", "Connect"),
        ("", {"POSIT_PRODUCT": "CONNECT"}, "Posit CONNECT", "Workbench"),
    ],
)
def test_how_to_reach_it_through_posits_products(
    mount: str, environ: dict[str, str], told: str, untold: str
) -> None:
    hints = workbench_hints(Address("127.0.0.1", 8000, mount=mount), environ)
    assert told in hints
    assert untold not in hints
