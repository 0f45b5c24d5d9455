from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from fluxlit.demo import api
from fluxlit.demo.database import Database
from fluxlit.demo.store import IncidentStore

NOW = datetime(2026, 3, 18, 10, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A freshly made file; tests that write take a copy."""
    path = tmp_path_factory.mktemp("demo") / "pristine.sqlite3"
    Database(path).prepare(NOW)
    return path


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def database(pristine: Path, tmp_path: Path) -> Database:
    path = tmp_path / "desk.sqlite3"
    path.write_bytes(pristine.read_bytes())
    return Database(path)


@pytest.fixture
def store(database: Database) -> IncidentStore:
    return IncidentStore(database)


@pytest.fixture
def client(store: IncidentStore) -> Iterator[TestClient]:
    app = FastAPI()
    app.include_router(api.router)
    app.dependency_overrides[api.clock] = lambda: NOW
    app.state.desk = store
    with TestClient(app) as client:
        yield client
