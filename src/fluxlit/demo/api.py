"""The routes of the desk, an ordinary FastAPI router."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from anyio import to_thread
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, Request, Response, status
from fastapi.responses import PlainTextResponse, StreamingResponse

from fluxlit.demo import export, imports
from fluxlit.demo.catalog import Region
from fluxlit.demo.database import Database
from fluxlit.demo.location import database_path
from fluxlit.demo.models import (
    ImportedIncident,
    ImportReport,
    IncidentChange,
    IncidentDetail,
    IncidentFilter,
    IncidentPage,
    IncidentQuery,
    NewIncident,
    Overview,
    Problem,
)
from fluxlit.demo.overview import overview
from fluxlit.demo.store import IncidentStore, StaleRevisionError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_PREVIEW_ROWS = 20

router = APIRouter()


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Make or continue the database before the first request: only the API's process does."""
    database = Database(database_path(os.environ, Path.home()))
    await to_thread.run_sync(database.prepare, datetime.now(UTC))
    app.state.desk = IncidentStore(database)
    yield


def desk(request: Request) -> IncidentStore:
    """Hand out the store that the lifespan opened."""
    store: IncidentStore = request.app.state.desk
    return store


def clock() -> datetime:
    """Hand out the present, in whole seconds as the store keeps them."""
    return datetime.now(UTC).replace(microsecond=0)


Desk = Annotated[IncidentStore, Depends(desk)]
Now = Annotated[datetime, Depends(clock)]
NOT_FOUND: dict[int | str, dict[str, object]] = {404: {"description": "No such incident"}}


@router.get("/overview", tags=["overview"])
def read_overview(
    desk: Desk,
    now: Now,
    days: Annotated[int, Query(ge=1, le=90)] = 28,
    region: Annotated[list[Region], Query()] = [],  # noqa: B006 # FastAPI copies it
) -> Overview:
    """Key figures of the last days beside the period before, and what the charts show."""
    return overview(desk.database, now, days=days, regions=region)


@router.get("/incidents", tags=["incidents"])
def list_incidents(desk: Desk, now: Now, query: Annotated[IncidentQuery, Query()]) -> IncidentPage:
    """One page of the incidents that match; a page beyond the last is the last."""
    total = desk.count(query, now)
    pages = max(1, -(-total // query.page_size))
    page = min(query.page, pages)
    offset = (page - 1) * query.page_size
    items = desk.find(query, now, limit=query.page_size, offset=offset)
    return IncidentPage(items=items, total=total, page=page, pages=pages)


@router.get("/incidents.csv", tags=["incidents"], response_class=PlainTextResponse)
def download_incidents(
    desk: Desk, now: Now, wanted: Annotated[IncidentFilter, Query()]
) -> StreamingResponse:
    """All incidents that match, as CSV."""
    name = f"incidents-{now:%Y-%m-%d}.csv"
    return StreamingResponse(
        export.csv_lines(desk.find(wanted, now)),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@router.post("/incidents", tags=["incidents"], status_code=status.HTTP_201_CREATED)
def report_incident(
    desk: Desk, now: Now, request: Request, response: Response, new: NewIncident
) -> IncidentDetail:
    """Take an incident on; its due time follows from the priority."""
    incident = ImportedIncident(**new.model_dump(), opened_at=now)
    reference = desk.add(incident, origin="Reported at the desk")
    location = request.url_for("read_incident", reference=reference)
    response.headers["Location"] = location.path
    return desk.get(reference, now)


@router.get("/incidents/{reference}", tags=["incidents"], responses=NOT_FOUND)
def read_incident(desk: Desk, now: Now, reference: str) -> IncidentDetail:
    """One incident with its log."""
    try:
        return desk.get(reference, now)
    except LookupError:
        raise _no_such(reference) from None


@router.patch(
    "/incidents/{reference}",
    tags=["incidents"],
    responses={**NOT_FOUND, 409: {"description": "Changed by somebody else meanwhile"}},
)
def change_incident(desk: Desk, now: Now, reference: str, change: IncidentChange) -> IncidentDetail:
    """Change an incident or add a note; the revision guards against overwriting."""
    try:
        desk.change(reference, change, now)
        return desk.get(reference, now)
    except LookupError:
        raise _no_such(reference) from None
    except StaleRevisionError:
        detail = f"{reference} was changed meanwhile; read it again"
        raise HTTPException(status.HTTP_409_CONFLICT, detail) from None


def _no_such(reference: str) -> HTTPException:
    return HTTPException(status.HTTP_404_NOT_FOUND, f"no incident {reference[:40]}")


async def uploaded_csv(request: Request) -> bytes:
    """Collect the body, no further than its limit."""
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > imports.MAX_BYTES:
            detail = f"the file is larger than {imports.MAX_BYTES:,} bytes; split it"
            raise HTTPException(status.HTTP_413_CONTENT_TOO_LARGE, detail)
    return bytes(content)


@router.get("/imports/example.csv", tags=["imports"], response_class=PlainTextResponse)
def download_example() -> PlainTextResponse:
    """A file that an import takes, to start from."""
    headers = {"Content-Disposition": 'attachment; filename="incidents-example.csv"'}
    return PlainTextResponse(imports.EXAMPLE, media_type="text/csv", headers=headers)


@router.post(
    "/imports",
    tags=["imports"],
    responses={
        201: {"description": "Imported", "model": ImportReport},
        413: {"description": "Too many bytes or rows"},
        422: {"description": "Not a file that can be read"},
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"text/csv": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
def import_incidents(
    desk: Desk,
    now: Now,
    response: Response,
    content: Annotated[bytes, Depends(uploaded_csv)],
    dry_run: Annotated[bool, Query(description="Report only; write nothing.")] = True,
) -> ImportReport:
    """Import a CSV file, or tell what an import would do: every row is taken or given back."""
    try:
        parsed = imports.parse(content, now)
    except imports.TooManyRowsError as error:
        raise HTTPException(status.HTTP_413_CONTENT_TOO_LARGE, str(error)) from None
    except imports.UnreadableFileError as error:
        raise HTTPException(status.HTTP_422_UNPROCESSABLE_CONTENT, str(error)) from None
    incidents = parsed.accepted.values()
    if dry_run:
        outcome = [(twin or "", twin is None) for twin in desk.twins(incidents)]
    else:
        outcome = desk.add_new(incidents, origin="Imported from a file")
        response.status_code = status.HTTP_201_CREATED
    for line, (reference, new) in zip(list(parsed.accepted), outcome, strict=True):
        if not new:
            reason = f"is on the desk already: {reference}"
            parsed.reject(line, Problem(line=line, column="", reason=reason))
    return ImportReport(
        dry_run=dry_run,
        delimiter=parsed.delimiter,
        rows=len(parsed.raw),
        accepted=len(parsed.accepted),
        rejected=len(parsed.rejected),
        references=[] if dry_run else [reference for reference, new in outcome if new],
        preview=list(parsed.accepted.values())[:_PREVIEW_ROWS],
        rejects=sorted(parsed.rejected, key=lambda row: row.line),
    )
