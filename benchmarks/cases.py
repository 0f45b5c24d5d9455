"""What is measured, against what it is compared, and what the project promises of it."""

from __future__ import annotations

from benchmarks import turns
from benchmarks.case import Case, Lifetime, Needs
from benchmarks.measures import Comparison, Goal, Metric


def _at_least(limit: float) -> Goal:
    return Goal(limit, higher_is_better=True)


def _at_most(limit: float) -> Goal:
    return Goal(limit, higher_is_better=False)


_SECONDS = Metric("seconds", "duration")
_P95 = Metric("p95", "p95")
_CPU = Metric("cpu", "processor time")

CASES: tuple[Case, ...] = (
    Case(
        "api",
        "API throughput, 16 connections",
        "fastapi",
        (Metric("rate", "requests/s", goal=_at_least(0.97)), _CPU),
        turns.api,
        needs=Needs.API,
    ),
    Case(
        "api-workers",
        "API throughput, 16 connections, two processes each",
        "fastapi-2",
        (Metric("rate", "requests/s", goal=_at_least(0.95)), _CPU),
        turns.api,
        among=("fastapi-2", "fluxlit-2"),
        ours="fluxlit-2",
    ),
    Case(
        "api-busy",
        f"API, a request every 10 ms, while {turns.TABS} tabs rerun a page of 50 ms of work",
        "mounted",
        (Metric("p50", "p50"), Metric("p99", "p99", goal=_at_most(0.15))),
        turns.api_beside_busy_pages,
        page="busy",
        needs=Needs.BOTH,
    ),
    Case(
        "rerun",
        "Small page, one tab, reruns without pause",
        "streamlit",
        (Metric("p50", "p50", goal=_at_most(0.15)), _P95, _CPU),
        turns.rerun,
    ),
    Case(
        "rerun-tuned",
        "Small page, one tab, against a `streamlit run` that never collects garbage after a run",
        "streamlit-tuned",
        (Metric("p50", "p50", goal=_at_most(1.05)), _P95, _CPU),
        turns.rerun,
        among=("streamlit-tuned", "fluxlit"),
    ),
    Case(
        "rerun-pages",
        "Small page of an app of 60 pages, against an app of 2",
        "pages-2",
        (Metric("p50", "p50", goal=_at_most(1.15)), _P95, _CPU),
        turns.rerun,
        among=("pages-2", "pages-60"),
        ours="pages-60",
    ),
    Case(
        "rerun-paused",
        "Small page, one tab, 0.25 s between reruns",
        "streamlit",
        (Metric("p50", "p50"), _P95),
        turns.rerun_paused,
    ),
    Case(
        "rerun-table",
        "Small page with a short table, one tab",
        "streamlit",
        (Metric("p50", "p50"), _P95, _CPU),
        turns.rerun,
        page="table",
    ),
    Case(
        "frame",
        "Page with a 6.4 MB data frame, one tab",
        "streamlit",
        (Metric("p50", "p50", goal=_at_most(0.35)), _P95, _CPU),
        turns.frame,
        page="frame",
    ),
    Case(
        "tabs",
        f"Small page, {turns.TABS} tabs at once",
        "streamlit",
        (Metric("rate", "reruns/s", goal=_at_least(6)), _CPU),
        turns.tabs,
    ),
    Case(
        "tabs-busy",
        f"Page of 50 ms of work, {turns.TABS} tabs at once",
        "streamlit",
        (Metric("rate", "reruns/s", goal=_at_least(2.3)), _CPU),
        turns.tabs,
        page="busy",
        among=("streamlit", "mounted", "nginx", "fluxlit-0.13", "fluxlit", "fluxlit-ui-2"),
        ours="fluxlit-ui-2",
    ),
    Case(
        "page-call",
        "A page's call of the API, 50 in each run",
        "apart",
        (Metric("p50", "p50", goal=_at_most(1.1)),),
        turns.page_call,
        page="call",
        among=("apart", "fluxlit"),
    ),
    Case(
        "start",
        "Start",
        "streamlit",
        (
            Metric("ready", "ready, s", Comparison.DIFFERENCE, goal=_at_most(0.5)),
            Metric("page", "first page, s", Comparison.DIFFERENCE),
            _CPU,
        ),
        turns.start,
        needs=Needs.ANY,
        lifetime=Lifetime.TURN,
    ),
    Case(
        "edit",
        "An edit of the API's code, from the write to the first answer",
        "fastapi-reload",
        (Metric("live", "live, s", Comparison.NONE, goal=_at_most(1.5)), Metric("seconds", "live")),
        turns.edit,
        among=("fastapi-reload", "fluxlit-dev"),
        ours="fluxlit-dev",
        most_rounds=5,
    ),
    Case(
        "upload",
        "Upload of 300 MiB to the page",
        "streamlit",
        (Metric("growth", "gateway growth, MiB", Comparison.NONE, goal=_at_most(32)), _SECONDS),
        turns.upload,
        page="upload",
        lifetime=Lifetime.TURN,
        most_rounds=3,
    ),
    Case(
        "download",
        "Download of 300 MiB from the page",
        "streamlit",
        (Metric("growth", "gateway growth, MiB", Comparison.NONE, goal=_at_most(32)), _SECONDS),
        turns.download,
        page="download",
        lifetime=Lifetime.TURN,
        most_rounds=3,
    ),
    Case(
        "first-load",
        "First visit with an empty cache, Chromium, 20 Mbit/s",
        "streamlit",
        (
            Metric("mebibytes", "bytes over the wire", goal=_at_most(0.3)),
            Metric("text", "page's text seen", goal=_at_most(0.65)),
            Metric("files", "files", Comparison.NONE),
        ),
        turns.first_load,
        most_rounds=5,
    ),
    Case(
        "index",
        "The UI's first document, 16 connections",
        "streamlit",
        (Metric("rate", "requests/s", goal=_at_least(5)), _CPU),
        turns.index,
    ),
    Case(
        "asset",
        "The UI's main script, 16 connections",
        "streamlit",
        (Metric("rate", "requests/s", goal=_at_least(5)), _CPU),
        turns.asset,
    ),
)
