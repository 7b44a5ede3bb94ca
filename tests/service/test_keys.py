"""A key sends to one project: by the path, and by what a body says."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from service.app import create_app
from service.runtime import Runtime
from service.settings import Settings

KEY = {"Authorization": "Bearer secret-of-one"}


@pytest.mark.parametrize(("project", "status"), [("1", 202), ("2", 403)])
def test_a_body_may_name_only_the_project_of_its_key(
    project: str, status: int, tmp_path: Path
) -> None:
    settings = Settings(
        database_url=SecretStr(f"sqlite:///{tmp_path}/pointsman.db"),
        ingest_keys=SecretStr("secret-of-one:1"),
    )
    body = {"message": "hello", "project": project}
    with TestClient(create_app(Runtime(settings)), base_url="http://127.0.0.1:8000") as client:
        assert client.post("/api/v1/events", json=body, headers=KEY).status_code == status
