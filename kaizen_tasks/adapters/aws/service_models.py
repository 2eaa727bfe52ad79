"""Finds the models of AWS services from which botocore makes clients. Import this late: botocore loads slowly."""

from __future__ import annotations

from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.loaders import Loader

if TYPE_CHECKING:
    import botocore.session


class ServiceLoader(Loader):
    """Loads models as botocore does, and takes each folder of models for a service.

    botocore looks into the folders of all services, nine hundred of them, before it loads the model of one.
    """

    @cached_property
    def _services(self) -> list[str]:
        folders = filter(Path.is_dir, map(Path, self.search_paths))
        return sorted({path.name for folder in folders for path in folder.iterdir()})

    def list_available_services(self, type_name: str) -> list[str]:
        """Return the names of all services."""
        return self._services


def load_models_by_name(session: botocore.session.Session) -> None:
    """Let a session load models of services in the folders in which it would look for them."""
    folders = tuple(session.get_component("data_loader").search_paths)
    session.register_component("data_loader", _create_loader(folders))


@cache
def _create_loader(folders: tuple[str, ...]) -> ServiceLoader:
    """Return the loader that all sessions share, since parsing a model takes longer than anything else of a client."""
    return ServiceLoader(list(folders), include_default_search_paths=False)
