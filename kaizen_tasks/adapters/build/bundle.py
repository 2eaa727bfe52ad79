"""Builds images without an engine: the exported tree as one layer, in an OCI image layout on disk.

The layer is an uncompressed tar, since compression differs between builds of zlib and would give the same commit
different digests: https://github.com/opencontainers/image-spec/blob/main/layer.md. Of the Dockerfile, the last stage's
configuration and its `COPY` of the commit's own files count; `RUN`, base images and `.dockerignore` are ignored.
"""

from __future__ import annotations

import hashlib
import json
import os
import posixpath
import shutil
import sys
import tempfile
from pathlib import Path

from kaizen_tasks.adapters.build.bundle_files import BundleFiles, LayerFiles, collect_files
from kaizen_tasks.adapters.host.clock import SystemClock
from kaizen_tasks.adapters.oci.client import OciClient
from kaizen_tasks.adapters.oci.manifest import OCI_INDEX, OCI_MANIFEST, Descriptor, Manifest, sha256_digest
from kaizen_tasks.adapters.oci.pusher import ImagePusher
from kaizen_tasks.adapters.oci.transport import StaticCredentials
from kaizen_tasks.config.tables import BuildRules
from kaizen_tasks.domain.build.bundle import BundleConfig, configure_bundle
from kaizen_tasks.domain.dockerfile.parse import DEFAULT_PATH, parse_dockerfile
from kaizen_tasks.domain.release import BuildSpec, LocalImage
from kaizen_tasks.errors import PushFailed, Refused
from kaizen_tasks.ports.types import Login

CONFIG_MEDIA_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_MEDIA_TYPE = "application/vnd.oci.image.layer.v1.tar"

BUNDLE_LABELS = {"dev.kaizen.image": "bundle"}
INHERIT_LABEL = "dev.kaizen.inherit"
"""Label with the names of the variables that a local cloud passes on to the app, separated by commas."""

SETTINGS_ANNOTATION = "dev.kaizen.settings"
"""Annotation in a layout's index: the digest of what the image was built from, besides the commit."""


class BundleBuilder:
    """Builds and pushes images with Python alone.

    Args:
        rules: how to build: `command` replaces the Dockerfile's, and `version_arg` is a variable of the app as well.
        store: folder for the layouts, one folder for each image.
    """

    name = "bundle"

    def __init__(self, *, rules: BuildRules, store: Path) -> None:
        self._rules = rules
        self._store = store

    def find_image(self, spec: BuildSpec) -> LocalImage | None:
        """Return the stored image of the spec's revision, or None when a build would now give another image."""
        layout = self._layout_dir(spec)
        digests = _read_layout(layout)
        if digests is None:
            return None
        image_digest, settings_digest = digests
        return LocalImage(name=str(layout), id=image_digest) if settings_digest == self._settings_digest(spec) else None

    def build(self, spec: BuildSpec, context: Path) -> LocalImage:
        """Write the image's layout into a temporary folder, rename the folder, and return the image.

        Raises:
            BuildFailed: there is no command that a bundle can run, or the tree has a file that an image cannot hold.
        """
        config = self._read_dockerfile(spec, context).with_command(self._rules.command)
        config.require_command()
        files = collect_files(config, context)
        missing_file = _find_missing_file(config, files, self._rules)
        if missing_file:
            raise config.missing_file_error(missing_file)
        self._store.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._store, prefix=".unfinished-") as folder:
            temp_layout = Path(folder) / "layout"
            blobs = temp_layout / "blobs" / "sha256"
            blobs.mkdir(parents=True)
            archive = LayerFiles(
                files=files, context=context, program=config.program_path, mtime=int(spec.created_at.timestamp())
            )
            layer = _write_layer(archive, blobs)
            digest = self._write_layout(spec, config, layer, temp_layout)
            _move_into_place(temp_layout, self._layout_dir(spec))
        return LocalImage(name=str(self._layout_dir(spec)), id=digest)

    def push(self, image: LocalImage, *, repository_uri: str, tag: str, login: Login) -> None:
        """Upload an image as `repository_uri:tag`."""
        repository = repository_uri.removeprefix(f"{login.host}/")
        try:
            client = OciClient(StaticCredentials(login), clock=SystemClock())
            ImagePusher(client).upload_layout(Path(image.name), repository=repository, tag=tag)
        except Refused as error:
            raise PushFailed(f"{repository_uri}:{tag} could not be pushed: {error.message}", hint=error.hint) from error

    def _layout_dir(self, spec: BuildSpec) -> Path:
        return self._store / f"{spec.app}-{spec.version}-{spec.revision[:12]}"

    def _settings_digest(self, spec: BuildSpec) -> str:
        """Return a digest of all that the image is built from, but for the files of the revision."""
        return sha256_digest(repr((self._rules, spec)).encode())

    def _read_dockerfile(self, spec: BuildSpec, context: Path) -> BundleConfig:
        """Return what the image takes from the Dockerfile, if there is one."""
        try:
            text = (context / self._rules.dockerfile).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return BundleConfig()
        build_args = {**self._rules.args, self._rules.version_arg: spec.version}
        dockerfile = parse_dockerfile(text, build_args, platform=self._rules.platform)
        return configure_bundle(dockerfile, self._rules.target)

    def _write_layout(self, spec: BuildSpec, bundle: BundleConfig, layer: Descriptor, layout: Path) -> str:
        """Write everything but the layer, and return the digest of the manifest; equal arguments give equal bytes."""
        config = Manifest(_encode_json(self._image_config(spec, bundle, layer)), CONFIG_MEDIA_TYPE)
        document = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": _descriptor_json(config),
            "layers": [_descriptor_json(layer)],
        }
        manifest = Manifest(_encode_json(document), OCI_MANIFEST)
        for blob in (config, manifest):
            (layout / "blobs" / "sha256" / blob.digest.removeprefix("sha256:")).write_bytes(blob.content)
        (layout / "oci-layout").write_bytes(_encode_json({"imageLayoutVersion": "1.0.0"}))
        annotations = {
            "org.opencontainers.image.ref.name": spec.version,
            SETTINGS_ANNOTATION: self._settings_digest(spec),
        }
        named = _descriptor_json(manifest) | {"annotations": annotations}
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [named]}
        (layout / "index.json").write_bytes(_encode_json(index))
        return manifest.digest

    def _image_config(self, spec: BuildSpec, bundle: BundleConfig, layer: Descriptor) -> dict[str, object]:
        """Return the image configuration: https://github.com/opencontainers/image-spec/blob/main/config.md."""
        system, architecture, *variant = self._rules.platform.split("/")
        created = spec.created_at.isoformat()
        return {
            "created": created,
            "os": system,
            "architecture": architecture,
            **({"variant": variant[0]} if variant else {}),
            "config": self._runtime_config(spec, bundle),
            "rootfs": {"type": "layers", "diff_ids": [layer.digest]},
            "history": [{"created": created, "created_by": "kaizen bundle"}],
        }

    def _runtime_config(self, spec: BuildSpec, bundle: BundleConfig) -> dict[str, object]:
        version = {self._rules.version_arg: spec.version, "APP_VERSION": spec.version}
        variables = {"PATH": DEFAULT_PATH, **version, **bundle.env}
        inherited = {INHERIT_LABEL: ",".join(self._rules.inherit)} if self._rules.inherit else {}
        ports: dict[str, object] = {f"{port}/tcp": {} for port in bundle.exposed_ports}
        return {
            "Env": [f"{name}={value}" for name, value in variables.items()],
            **({"Entrypoint": list(bundle.entrypoint)} if bundle.entrypoint else {}),
            "Cmd": list(bundle.command),
            "WorkingDir": bundle.workdir,
            **({"ExposedPorts": ports} if ports else {}),
            "Labels": {**spec.labels, **BUNDLE_LABELS, **inherited},
        }


def _descriptor_json(blob: Descriptor | Manifest) -> dict[str, object]:
    """Return a blob's OCI descriptor: https://github.com/opencontainers/image-spec/blob/main/descriptor.md."""
    size = len(blob.content) if isinstance(blob, Manifest) else blob.size
    return {"mediaType": blob.media_type, "digest": blob.digest, "size": size}


def _encode_json(content: object) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def _read_layout(layout: Path) -> tuple[str, str] | None:
    """Return the digests of a layout's manifest and of its settings; None when the layout or its layer is missing."""
    try:
        named = json.loads((layout / "index.json").read_bytes())["manifests"][0]
        manifest = json.loads((layout / "blobs" / named["digest"].replace(":", "/")).read_bytes())
        layer = manifest["layers"][0]
        (layout / "blobs" / layer["digest"].replace(":", "/")).stat()
    except FileNotFoundError:
        return None
    return named["digest"], named["annotations"].get(SETTINGS_ANNOTATION, "")


def _move_into_place(temp_layout: Path, layout: Path) -> None:
    """Rename a layout, replacing an existing one, which was built with other settings or is damaged."""
    if layout.exists():
        layout.rename(temp_layout.with_name("replaced"))
    temp_layout.rename(layout)


def _write_layer(files: LayerFiles, blobs: Path) -> Descriptor:
    temp_file = blobs / "layer"
    files.write_archive(temp_file)
    with temp_file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    size = temp_file.stat().st_size
    temp_file.rename(blobs / digest)
    return Descriptor(media_type=LAYER_MEDIA_TYPE, digest=f"sha256:{digest}", size=size)


def _find_missing_file(config: BundleConfig, files: BundleFiles, rules: BuildRules) -> str:
    """Return the program or the file of the command that is neither in the bundle nor on this machine, or empty."""
    if not _has_program(config, files, rules):
        return config.program
    missing_files = (path for path in config.unbuilt_files if path.strip("/") not in files and not Path(path).exists())
    return next(missing_files, "")


def _has_program(config: BundleConfig, files: BundleFiles, rules: BuildRules) -> bool:
    program, path = config.program, config.program_path
    if program in {"", "python", "python3"}:  # these tasks run on a Python, which a local cloud uses
        return True
    if path:
        return path.lstrip("/") in files or (program.startswith("/") and Path(program).exists())
    own_folders = config.env.get("PATH", DEFAULT_PATH).split(":")
    if any(posixpath.join(folder, program).lstrip("/") in files for folder in own_folders):
        return True
    inherited_path = os.environ.get("PATH", "") if "PATH" in rules.inherit else ""
    search_path = (inherited_path, str(Path(sys.executable).parent), DEFAULT_PATH)
    return shutil.which(program, path=os.pathsep.join(search_path)) is not None
