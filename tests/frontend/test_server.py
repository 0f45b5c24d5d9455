from __future__ import annotations

import asyncio
import gzip
from pathlib import Path

import brotli
import pytest
from tests.frontend.conftest import PICTURE, SCRIPT, Open, unwritable

from fluxlit._streamlit.frontend import StreamlitFrontend
from fluxlit.frontend import PageHead
from fluxlit.frontend.cache import CopyCache
from fluxlit.frontend.catalog import FOREVER, list_files
from fluxlit.frontend.coding import BROTLI

SCRIPT_PATH = "/static/js/app.AbCd_-12.js"


def test_each_coding_is_what_it_says_and_has_a_validator_of_its_own(visit: Open) -> None:
    async def scenario() -> None:
        site = visit()
        plain = await site.expect(SCRIPT_PATH)
        packed = await site.expect(SCRIPT_PATH, accept_encoding="gzip")
        best = await site.expect(SCRIPT_PATH, accept_encoding="gzip, br")
        assert plain.body == gzip.decompress(packed.body) == brotli.decompress(best.body) == SCRIPT
        assert len(best.body) < len(packed.body) < len(plain.body) / 10
        assert "content-encoding" not in plain.headers
        assert packed.headers["content-encoding"] == "gzip"
        assert best.headers["content-encoding"] == "br"
        assert len({each.headers["etag"] for each in (plain, packed, best)}) == 3
        for each in (plain, packed, best):
            assert each.headers["vary"] == "Accept-Encoding"
            assert each.headers["content-length"] == str(len(each.body))
            assert each.headers["content-type"] == "text/javascript; charset=utf-8"
            assert each.headers["x-content-type-options"] == "nosniff"
            assert each.headers["cache-control"] == FOREVER.decode()

    asyncio.run(scenario())


def test_what_does_not_shrink_goes_as_it_is(visit: Open) -> None:
    async def scenario() -> None:
        picture = await visit().expect("/favicon.png", accept_encoding="br")
        assert picture.body == PICTURE
        assert not {"vary", "content-encoding"} & picture.headers.keys()
        assert picture.headers["cache-control"] == "no-cache"
        tiny = await visit().expect("/static/media/tiny.AbCd_-56.svg", accept_encoding="br, gzip")
        assert (tiny.body, tiny.headers.get("content-encoding")) == (b"<svg/>", None)

    asyncio.run(scenario())


@pytest.mark.parametrize("path", ["/", "/orders", SCRIPT_PATH, "/favicon.png"])
def test_a_browser_that_has_it_is_told_so(visit: Open, path: str) -> None:
    async def scenario() -> None:
        site = visit()
        first = await site.expect(path, accept_encoding="br")
        etag = first.headers["etag"]
        again = await site.expect(path, accept_encoding="br", if_none_match=f'"other", W/{etag}')
        assert (again.status, again.body) == (304, b"")
        assert "content-length" not in again.headers
        assert again.headers["etag"] == etag
        assert again.headers["cache-control"] == first.headers["cache-control"]
        other = await site.expect(path, accept_encoding="br", if_none_match='"other"')
        assert (other.status, other.body) == (200, first.body)

    asyncio.run(scenario())


def test_head_tells_what_get_would_send(visit: Open) -> None:
    async def scenario() -> None:
        site = visit()
        for path in ("/", SCRIPT_PATH):
            got = await site.expect(path, accept_encoding="br")
            head = await site.expect(path, "HEAD", accept_encoding="br", range="bytes=0-3")
            assert (head.status, head.body, head.headers) == (200, b"", got.headers)

    asyncio.run(scenario())


def test_a_part_can_be_fetched(visit: Open) -> None:
    async def scenario() -> None:
        site = visit()
        plain = await site.expect(SCRIPT_PATH)
        etag = plain.headers["etag"]
        part = await site.expect(SCRIPT_PATH, range="bytes=8-10", accept_encoding="br")
        assert (part.status, part.body) == (206, SCRIPT[8:11])
        assert part.headers["content-range"] == f"bytes 8-10/{len(SCRIPT)}"
        assert part.headers["content-length"] == "3"
        assert part.headers["etag"] == etag
        assert "content-encoding" not in part.headers
        same = await site.expect(SCRIPT_PATH, range="bytes=-1", if_range=etag)
        assert (same.status, same.body) == (206, SCRIPT[-1:])
        changed = await site.expect(SCRIPT_PATH, range="bytes=-1", if_range='"older"')
        assert (changed.status, changed.body) == (200, SCRIPT)
        weak = await site.expect(SCRIPT_PATH, range="bytes=-1", if_range=f"W/{etag}")
        assert weak.status == 200
        kept = await site.expect(SCRIPT_PATH, range="bytes=-1", if_none_match=etag)
        assert kept.status == 304
        beyond = await site.expect(SCRIPT_PATH, range=f"bytes={len(SCRIPT)}-")
        assert (beyond.status, beyond.body) == (416, b"")
        assert beyond.headers["content-range"] == f"bytes */{len(SCRIPT)}"
        several = await site.expect(SCRIPT_PATH, range="bytes=0-1,4-5")
        assert (several.status, several.body) == (200, SCRIPT)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "path",
    [
        "", "//evil.test", "/../secret.txt", "/static/../../secret.txt", "/%2e%2e/secret.txt",
        "/..%2fsecret.txt", "/static/js/..%5c..%5csecret.txt", "/static/%00", "/C:/secret.txt",
        "/link.js", "/folder/inside.js", "/static/js/missing.js", "/static", "/static/",
        "/orders/", "/media/x", "/component/x", "/_stcore/health", "/orders/_stcore/health",
        "/app/static/x", "/auth/login", "/oauth2callback", "/%ff", "/a\nb", "/a/./b", "/a//b",
    ],
)  # fmt: skip
def test_what_is_not_surely_its_own_is_left_to_the_worker(
    visit: Open, streamlit: StreamlitFrontend, path: str
) -> None:
    secret = streamlit.directory.parent / "secret.txt"
    secret.write_text("secret")
    folder = streamlit.directory.parent / "outside"
    folder.mkdir()
    (folder / "inside.js").write_text("secret")
    (streamlit.directory / "link.js").symlink_to(secret)
    (streamlit.directory / "folder").symlink_to(folder)

    async def scenario() -> None:
        found = await visit().get(path)
        if path in {"/link.js", "/folder/inside.js"}:  # no file of its own: the page, as for any
            assert found is not None
            assert b"<title>Desk</title>" in found.body
        else:
            assert found is None

    asyncio.run(scenario())


def test_an_address_may_be_spelt_with_escapes(visit: Open) -> None:
    async def scenario() -> None:
        site = visit(heads={"": PageHead("Desk"), "größe": PageHead("Größe")})
        assert (await site.expect("/static/js/app%2EAbCd_-12.js")).body == SCRIPT
        assert b"<title>Gr\xc3\xb6\xc3\x9fe</title>" in (await site.expect("/gr%C3%B6%C3%9Fe")).body
        assert b"<title>Desk</title>" in (await site.expect("/a/b/c")).body

    asyncio.run(scenario())


def test_a_file_that_went_away_is_left_to_the_worker(
    visit: Open, streamlit: StreamlitFrontend
) -> None:
    async def scenario() -> None:
        site = visit()
        assert (await site.expect("/")).status == 200
        (streamlit.directory / "favicon.png").unlink()
        assert await site.get("/favicon.png") is None

    asyncio.run(scenario())


def test_without_the_page_the_worker_serves_everything(
    visit: Open, streamlit: StreamlitFrontend
) -> None:
    (streamlit.directory / "index.html").unlink()
    assert asyncio.run(visit().get("/favicon.png")) is None


def test_a_copy_on_disk_is_what_is_sent(visit: Open, streamlit: StreamlitFrontend) -> None:
    files = list_files(streamlit)
    cache = CopyCache.of(streamlit.directory.parent / "cache", streamlit, files)
    job = next(job for job in cache.missing(files) if job.file.name == SCRIPT_PATH[1:])
    assert job.coding is BROTLI
    cache.make(job)
    reply = asyncio.run(visit().expect(SCRIPT_PATH, accept_encoding="br"))
    assert reply.body == BROTLI.thorough(SCRIPT) != BROTLI.quick(SCRIPT)


@pytest.mark.parametrize("found", [b"", b"\x00junk", BROTLI.thorough(b"alert('other')")])
def test_a_copy_of_something_else_is_never_sent(
    visit: Open, streamlit: StreamlitFrontend, found: bytes
) -> None:
    files = list_files(streamlit)
    cache = CopyCache.of(streamlit.directory.parent / "cache", streamlit, files)
    jobs = {job.file.name: job for job in cache.missing(files) if job.coding is BROTLI}
    cache.make(jobs[SCRIPT_PATH[1:]])
    (cache.directory / f"{SCRIPT_PATH[1:]}.br").write_bytes(found)
    reply = asyncio.run(visit().expect(SCRIPT_PATH, accept_encoding="br"))
    assert brotli.decompress(reply.body) == SCRIPT


def test_a_cache_that_cannot_be_made_costs_bytes_only(visit: Open, tmp_path: Path) -> None:
    with unwritable(tmp_path / "cache"):
        reply = asyncio.run(visit().expect(SCRIPT_PATH, accept_encoding="br"))
    assert brotli.decompress(reply.body) == SCRIPT


def test_many_who_ask_at_once_are_served_by_one_reading(visit: Open) -> None:
    async def scenario() -> None:
        site = visit()
        resource = await site.frontend.find(SCRIPT_PATH.encode())
        assert resource is not None
        first = asyncio.create_task(site.expect(SCRIPT_PATH, accept_encoding="br"))
        others = [
            asyncio.create_task(site.expect(SCRIPT_PATH, accept_encoding="br")) for _ in range(20)
        ]
        await asyncio.sleep(0)
        first.cancel()  # who leaves takes nothing from the others
        bodies = {id(reply.headers["etag"]): reply for reply in await asyncio.gather(*others)}
        assert {brotli.decompress(reply.body) for reply in bodies.values()} == {SCRIPT}

    asyncio.run(scenario())


def test_a_policy_with_a_nonce_is_new_in_each_answer(visit: Open) -> None:
    policy = "script-src 'self' 'nonce-{nonce}'"
    fragment = "<script>count()</script>"

    async def scenario() -> None:
        site = visit(policy=policy, fragment=fragment)
        seen = set()
        for accepted in ("", "br"):
            reply = await site.expect("/orders", accept_encoding=accepted, if_none_match="*")
            body = brotli.decompress(reply.body) if accepted else reply.body
            said = reply.headers["content-security-policy"]
            nonce = said.removeprefix("script-src 'self' 'nonce-").removesuffix("'")
            assert len(nonce) >= 22
            seen.add(nonce)
            assert body.decode().count(f"<script nonce={nonce!r}".replace("'", '"')) == 2
            assert b"<script>" not in body
            assert reply.status == 200
            assert reply.headers["cache-control"] == "no-store"
        assert len(seen) == 2
        assert "content-security-policy" not in (await site.expect(SCRIPT_PATH)).headers

    asyncio.run(scenario())


def test_a_policy_without_a_nonce_is_part_of_the_prepared_answer(visit: Open) -> None:
    async def scenario() -> None:
        site = visit(policy="frame-ancestors 'none'")
        first, second = await site.expect("/"), await site.expect("/")
        assert first.headers["content-security-policy"] == "frame-ancestors 'none'"
        assert first.headers == second.headers
        assert "etag" in first.headers

    asyncio.run(scenario())


def test_icons_are_emojis_addresses_or_pictures(visit: Open, tmp_path: Path) -> None:
    picture = tmp_path / "logo.png"
    picture.write_bytes(PICTURE)
    heads = {
        "": PageHead("Desk", icon=str(picture)),
        "emoji": PageHead("E", icon="🧾"),
        "web": PageHead("W", icon="https://x.test/i.png"),
        "material": PageHead("M", icon=":material/home:"),
        "secret": PageHead("S", icon="/etc/passwd"),
    }

    async def icon(path: str) -> str:
        body = (await visit(heads=heads).expect(path)).body.decode()
        return body.partition('rel="shortcut icon" href="')[2].partition('"')[0]

    async def scenario() -> None:
        assert (await icon("/emoji")).startswith("data:image/svg+xml,")
        assert await icon("/web") == "https://x.test/i.png"
        assert await icon("/material") == await icon("/secret") == "./favicon.png"
        address = await icon("/")
        reply = await visit(heads=heads).expect(address.removeprefix("."))
        assert (reply.body, reply.headers["cache-control"]) == (PICTURE, FOREVER.decode())
        assert reply.headers["content-type"] == "image/png"

    asyncio.run(scenario())
