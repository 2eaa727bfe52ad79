"""The data that `kaizen init` reads in an app's folder, before anything is inferred."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from functools import cached_property

from attrs import field, frozen


@frozen(kw_only=True)
class GitRepository:
    """The git repository around the app's folder.

    Attributes:
        branch: the branch that is checked out; empty when HEAD is detached.
        default_branch: the remote's default branch, if this clone knows it, or empty.
        branches: names of all local branches.
        remotes: URLs of the remotes, by name, without credentials.
        tags: names of all tags.
    """

    branch: str = ""
    default_branch: str = ""
    branches: tuple[str, ...] = ()
    remotes: Mapping[str, str] = field(factory=dict)
    tags: tuple[str, ...] = ()


@frozen(kw_only=True, slots=False)
class RepoScan:
    """The contents of an app's folder.

    Attributes:
        name: the folder's name.
        subfolder: the folder's path in the repository; empty at the top.
        texts: texts of the files that were read, by path below the folder.
        outer_texts: texts of workflows, scripts and Terraform that a repository keeps at its top for an app in a
            subfolder, and of the configurations of other apps, by path from the folder: `../deploy.sh`.
        paths: paths of all files of the repository, from the folder.
        app_sources: texts of the source files that create a web app, by path.
        cdk_sources: texts of the sources that create services with the AWS CDK, by path.
        package_files: texts of the files that may have the version of the app's package, by path.
        version_endpoint_files: paths of sources that mention `/version`.
        ignored_names: names that git ignores already.
        repository: the git repository around the folder.
        region: the region of this user's AWS configuration, or empty.
    """

    name: str
    subfolder: str = ""
    texts: Mapping[str, str] = field(factory=dict)
    outer_texts: Mapping[str, str] = field(factory=dict)
    paths: frozenset[str] = frozenset()
    app_sources: Mapping[str, str] = field(factory=dict)
    cdk_sources: Mapping[str, str] = field(factory=dict)
    package_files: Mapping[str, str] = field(factory=dict)
    version_endpoint_files: tuple[str, ...] = ()
    ignored_names: tuple[str, ...] = ()
    repository: GitRepository = field(factory=GitRepository)
    region: str = ""

    @cached_property
    def folders(self) -> frozenset[str]:
        """The folders of all files, and the folder itself."""
        found = {"."}
        for path in self.paths:
            while (path := posixpath.dirname(path)) and path not in found:
                found.add(path)
        return frozenset(found)

    @property
    def path_to_top(self) -> str:
        """The path from the folder to the top of the repository, such as `../..`."""
        return posixpath.relpath(".", self.subfolder or ".")

    @property
    def deployment_texts(self) -> Mapping[str, str]:
        """The texts that may show how the app is deployed, by path."""
        return {**self.outer_texts, **self.texts}

    @property
    def package_texts(self) -> Mapping[str, str]:
        """The texts that may show name and version of the app's package, by path."""
        return {**self.package_files, **self.texts}

    def texts_with_suffix(self, *suffixes: str) -> dict[str, str]:
        """Return the texts of files whose names end in one of the suffixes, by path."""
        return {path: text for path, text in self.texts.items() if path.endswith(suffixes)}
