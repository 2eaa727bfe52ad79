"""How models of AWS services are found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import botocore.session
import pytest
from botocore.exceptions import UnknownServiceError

from kaizen_tasks.adapters.aws.service_models import load_models_by_name

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.mark.parametrize("type_name", ["service-2", "endpoint-rule-set-1"])
def test_every_service_of_botocore_is_found(type_name: str) -> None:
    session, own = botocore.session.Session(), botocore.session.Session()
    load_models_by_name(own)

    services = session.get_component("data_loader").list_available_services(type_name)

    assert {*own.get_component("data_loader").list_available_services(type_name)} >= {*services}


def test_folders_of_other_services_are_not_looked_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = set[Path]()
    list_folder = Path.iterdir

    def iterdir(path: Path) -> Iterator[Path]:
        listed.add(path)
        return list_folder(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))  # folders into which no other session has looked
    session = botocore.session.Session()
    load_models_by_name(session)
    loader = session.get_component("data_loader")

    loader.load_service_model("sts", "service-2")
    loader.load_service_model("ecr", "service-2")

    assert listed == {Path(path) for path in loader.search_paths if Path(path).is_dir()}


def test_model_is_parsed_once_for_all_sessions() -> None:
    first, second = botocore.session.Session(), botocore.session.Session()
    load_models_by_name(first)
    load_models_by_name(second)

    models = [each.get_component("data_loader").load_service_model("sts", "service-2") for each in (first, second)]

    assert models[0] is models[1]


def test_models_of_the_users_own_folder_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "sts" / "2011-06-15"
    folder.mkdir(parents=True)
    (folder / "service-2.json").write_text(json.dumps({"metadata": {"serviceId": "theirs"}}))
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    session = botocore.session.Session()
    load_models_by_name(session)

    assert session.get_service_model("sts").service_id == "theirs"


def test_service_that_is_unknown_is_botocores_error() -> None:
    session = botocore.session.Session()
    load_models_by_name(session)

    with pytest.raises(UnknownServiceError):
        session.create_client("none", region_name="eu-west-1")
