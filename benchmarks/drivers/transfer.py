"""Moves large files through the UI's own endpoints, as a browser would, and checks every byte."""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import Iterator
from urllib.parse import urlsplit

import psutil

from benchmarks.apps.pages import MIB
from benchmarks.drivers.load import Address, WrongAnswerError
from benchmarks.drivers.session import XSRF_COOKIE, Tab, open_tab
from benchmarks.processes import PeakMemory

# Sent and received first, so that nothing which is only done once counts as growth.
_WARM_UP_MIB = 4
_BLOCK = bytes(range(256)) * (MIB // 256)
_BOUNDARY = "benchmark-boundary"
_HEAD = (
    f"--{_BOUNDARY}\r\n"
    'Content-Disposition: form-data; name="file"; filename="payload.bin"\r\n'
    "Content-Type: application/octet-stream\r\n\r\n"
).encode()
_TAIL = f"\r\n--{_BOUNDARY}--\r\n".encode()


async def upload(
    address: Address, mebibytes: int, gateway: list[psutil.Process]
) -> dict[str, float]:
    """Upload a file to the page's uploader.

    Returns:
        ``seconds``, and ``growth`` in MiB if there is a gateway to watch.

    Raises:
        WrongAnswerError: The file was refused, or the page saw another one.
    """
    async with open_tab(address) as tab:
        await _upload_once(address, tab, _WARM_UP_MIB)
        with PeakMemory(gateway) as peak:
            seconds = await _upload_once(address, tab, mebibytes)
    return _figures(seconds, peak)


async def download(
    address: Address, mebibytes: int, gateway: list[psutil.Process]
) -> dict[str, float]:
    """Download the file that the page offers.

    Returns:
        ``seconds``, and ``growth`` in MiB if there is a gateway to watch.

    Raises:
        WrongAnswerError: The answer was not the offered file.
    """
    async with open_tab(address) as tab:
        await _download_once(address, tab, _WARM_UP_MIB)
        with PeakMemory(gateway) as peak:
            seconds = await _download_once(address, tab, mebibytes)
    return _figures(seconds, peak)


def _figures(seconds: float, peak: PeakMemory) -> dict[str, float]:
    growth = peak.growth_mib
    return {"seconds": seconds} if growth is None else {"seconds": seconds, "growth": growth}


async def _upload_once(address: Address, tab: Tab, mebibytes: int) -> float:
    urls = await tab.file_urls("payload.bin")
    # The session must go on answering pings, so the transfer has a thread of its own.
    seconds = await asyncio.to_thread(_put, address, urls.upload_url, tab.xsrf, mebibytes)
    run = await tab.attach("payload.bin", mebibytes * MIB, urls)
    expected = f"size={mebibytes * MIB} crc={_checksum(mebibytes)}"
    if expected not in run.texts():
        msg = f"uploaded {expected}, the page saw {run.texts()}"
        raise WrongAnswerError(msg)
    return seconds


def _put(address: Address, path: str, xsrf: str, mebibytes: int) -> float:
    headers = {
        "Content-Type": f"multipart/form-data; boundary={_BOUNDARY}",
        "Content-Length": str(len(_HEAD) + mebibytes * MIB + len(_TAIL)),
        "Origin": address.origin,
        "X-Xsrftoken": xsrf,
        "Cookie": f"{XSRF_COOKIE}={xsrf}",
    }
    connection = address.connect()
    try:
        started = time.perf_counter()
        connection.request("PUT", path, body=_form(mebibytes), headers=headers)
        answer = connection.getresponse()
        answer.read()
        seconds = time.perf_counter() - started
    finally:
        connection.close()
    if answer.status != 204:
        msg = f"PUT {path} answered {answer.status}"
        raise WrongAnswerError(msg)
    return seconds


def _form(mebibytes: int) -> Iterator[bytes]:
    yield _HEAD
    for _ in range(mebibytes):
        yield _BLOCK
    yield _TAIL


async def _download_once(address: Address, tab: Tab, mebibytes: int) -> float:
    run = await tab.slide(mebibytes)
    urls = [each.download_button.url for each in run.elements() if each.HasField("download_button")]
    seconds, size, checksum = await asyncio.to_thread(_fetch, address, urls[0])
    if (size, checksum) != (mebibytes * MIB, _checksum(mebibytes)):
        msg = f"asked for {mebibytes} MiB, got {size} bytes with checksum {checksum}"
        raise WrongAnswerError(msg)
    return seconds


def _fetch(address: Address, url: str) -> tuple[float, int, int]:
    """Return how long the download took, how long the file was, and its checksum."""
    connection = address.connect()
    size = checksum = 0
    try:
        started = time.perf_counter()
        connection.request("GET", urlsplit(url).path)
        answer = connection.getresponse()
        while block := answer.read(MIB):
            size += len(block)
            checksum = zlib.crc32(block, checksum)
        return time.perf_counter() - started, size, checksum
    finally:
        connection.close()


def _checksum(mebibytes: int) -> int:
    checksum = 0
    for _ in range(mebibytes):
        checksum = zlib.crc32(_BLOCK, checksum)
    return checksum
