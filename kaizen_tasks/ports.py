"""What the flows need from the outside world, and nothing about how it is done.

Each port has a real adapter, a fake for tests, and one contract suite that every implementation passes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from attrs import field, frozen

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from kaizen_tasks.config.settings import Settings
    from kaizen_tasks.domain.account import Caller, Permission, Table, TagRules
    from kaizen_tasks.domain.health import Answer
    from kaizen_tasks.domain.hold import Hold
    from kaizen_tasks.domain.ledger import Entry
    from kaizen_tasks.domain.lifecycle import Rule, StoredImage
    from kaizen_tasks.domain.lock import Lock
    from kaizen_tasks.domain.plan import Decision
    from kaizen_tasks.domain.release import Copied, Image, Label, LocalImage, Recipe
    from kaizen_tasks.domain.service import Operation, Service


@frozen
class Secret:
    """A value that prints redacted; only the adapter that needs it opens it."""

    _value: str = field(repr=False)

    def open(self) -> str:
        """Return the value itself."""
        return self._value

    def __str__(self) -> str:
        return "[redacted]"


@frozen(kw_only=True)
class Login:
    """How to talk to a registry over the OCI distribution API.

    Attributes:
        url: scheme, host and port: `https://123456789012.dkr.ecr.eu-west-1.amazonaws.com`.
        username: for HTTP Basic.
        password: for HTTP Basic.
    """

    url: str
    username: str
    password: Secret

    @property
    def host(self) -> str:
        """Host and port, as image references begin."""
        return self.url.partition("://")[2]

    @property
    def plain(self) -> bool:
        """Whether the registry speaks HTTP without TLS."""
        return self.url.startswith("http://")


@frozen(kw_only=True)
class Head:
    """Where the checkout stands.

    Attributes:
        commit: full hash.
        branch: short name, or empty when HEAD is detached.
    """

    commit: str
    branch: str


@frozen(kw_only=True)
class Engine:
    """What builds images on this machine.

    Attributes:
        name: `docker`, `podman`, `buildah` or `bundle`.
        weakness: what it lacks, in words; empty when nothing.
        remedy: what to do about that.
    """

    name: str
    weakness: str = ""
    remedy: str = ""


@frozen(kw_only=True)
class Remote:
    """What the remote answers when it is asked now.

    Attributes:
        branch: commit of the branch there, or empty.
        tags: commit of every tag there, peeled, by name.
    """

    branch: str
    tags: Mapping[str, str]


class Documents(Protocol):
    """The two files that a release edits: VERSION and CHANGELOG.md."""

    def read(self, name: str) -> bytes | None:
        """Return the content, or None when there is no such file."""
        ...

    def write(self, name: str, content: bytes) -> None:
        """Replace the content, wholly or not at all."""
        ...


class Scm(Protocol):
    """Version control: a git repository around the app's folder. Paths are relative to that folder."""

    def head(self) -> Head:
        """Return where the checkout stands.

        Raises:
            Refused: not a repository, or one without a commit.
        """
        ...

    def commit_of(self, name: str) -> str:
        """Return the full hash of the commit that a ref, tag or hash names, or an empty string."""
        ...

    def read(self, commit: str, path: str) -> bytes | None:
        """Return a file's content at a commit, or None when it is not there."""
        ...

    def modified(self) -> tuple[str, ...]:
        """Return tracked files whose content differs from HEAD, staged or not, sorted."""
        ...

    def obstacles(self) -> tuple[str, ...]:
        """Return what stands in the way of a commit: a merge or rebase under way, a shallow clone, no identity."""
        ...

    def tags(self, *, behind: str = "") -> tuple[str, ...]:
        """Return the names of the tags in this clone.

        Args:
            behind: only those of this commit and its ancestors; a full hash, or empty for all.
        """
        ...

    def touched(self, since: str, until: str) -> tuple[str, ...]:
        """Return the files that the commits after `since`, up to `until`, have changed; sorted.

        Args:
            since: full hash; empty for the whole history.
            until: full hash.
        """
        ...

    def is_ancestor(self, old: str, new: str) -> bool:
        """Return whether `old` is reachable from `new` (or the same)."""
        ...

    def pending(self) -> Mapping[str, str]:
        """Return the releases that were begun here and are not finished: name (`v1.2.3`) to commit."""
        ...

    def changes(self, commit: str, files: Mapping[str, bytes]) -> tuple[str, ...]:
        """Return the names of the files that git would store differently from what a commit holds."""
        ...

    def write_commit(self, *, parent: str, files: Mapping[str, bytes], message: str) -> str:
        """Write a commit object: the parent's tree with these files replaced. No ref, index or file changes.

        The commit hooks run first, against the temporary index.

        Raises:
            Refused: a hook rejected it, or there is no identity.
        """
        ...

    def keep(self, name: str, commit: str) -> None:
        """Remember a release that was begun, by a private ref."""
        ...

    def forget(self, name: str) -> None:
        """Drop that private ref."""
        ...

    def land(self, commit: str, *, paths: tuple[str, ...]) -> None:
        """Move the branch forward to a commit, and `paths` in index and working tree with it.

        Everything else, staged or not, stays as it is.

        Raises:
            Refused: the branch has moved meanwhile.
        """
        ...

    def prepare(self, name: str, commit: str, message: str) -> None:
        """Make the annotated tag of a release, kept by the private ref: what is pushed before it has a name here."""
        ...

    def tag(self, name: str, commit: str, message: str) -> None:
        """Create an annotated tag; an existing one on the same commit is left alone.

        Raises:
            Refused: the tag exists on another commit.
        """
        ...

    def seal(self, commit: str, *, paths: tuple[str, ...], tag: str, message: str) -> None:
        """Move the branch forward and create the annotated tag, both or neither; then bring `paths` along.

        Raises:
            Refused: the branch has moved meanwhile, or the tag exists on another commit.
        """
        ...

    def remote(self, branch: str) -> Remote | None:
        """Ask the remote for a branch and its tags; None when there is no remote.

        Raises:
            Unreachable: it does not answer.
        """
        ...

    def publish(self, *, branch: str, tag: str) -> None:
        """Push the branch (when not empty) and the tag in one atomic push.

        Raises:
            PushFailed: any of them was rejected; then none has moved.
        """
        ...

    def export(self, commit: str, into: Path) -> None:
        """Write the files of a commit into an empty folder, as they are committed."""
        ...

    def committed(self, commit: str) -> datetime:
        """Return the commit's time, in UTC."""
        ...

    def source(self) -> str:
        """Return the remote's address for people, without credentials, or an empty string."""
        ...


class Builder(Protocol):
    """Something that makes images."""

    name: str

    def find(self, recipe: Recipe) -> LocalImage | None:
        """Return the image of this app, version and revision when this machine has it."""
        ...

    def build(self, recipe: Recipe, context: Path) -> LocalImage:
        """Build from an exported tree.

        Raises:
            BuildFailed: it did not work; the last lines of output are in the message.
        """
        ...

    def push(self, image: LocalImage, *, address: str, tag: str, login: Login) -> None:
        """Upload an image as `address:tag`.

        Args:
            image: what `build` or `find` returned.
            address: `host/repository`.
            tag: `v1.2.3`.
            login: the registry's credentials; they reach neither argv nor the user's own configuration.

        Raises:
            PushFailed: the registry did not take it.
        """
        ...


class Registry(Protocol):
    """Image repositories."""

    def image(self, repository: str, reference: str) -> Image | None:
        """Return what a tag or digest names, or None.

        Raises:
            NotFound: there is no such repository.
        """
        ...

    def copy(self, *, digest: str, source: str, target: str, tag: str) -> Copied:
        """Bring an image into another repository under a tag, byte for byte.

        Raises:
            PushFailed: the target did not take it, or the tag holds other bytes there.
        """
        ...

    def point(self, *, repository: str, tag: str, digest: str) -> None:
        """Move a tag onto an image that the repository holds already.

        Raises:
            PushFailed: the repository did not take it.
        """
        ...

    def address(self, repository: str) -> str:
        """Return the repository's full name: `host/repository`.

        Raises:
            NotFound: there is no such repository.
        """
        ...

    def login(self) -> Login:
        """Return credentials for the distribution API."""
        ...


class Platform(Protocol):
    """What runs the services."""

    def service(self, name: str) -> Service:
        """Return a service as it is now.

        Raises:
            NotFound: there is no such service.
        """
        ...

    def start(self, service: Service) -> str:
        """Start a deployment of the image that the service follows; return the operation's identifier.

        Returns an empty string when the service is busy with another operation and nothing was started.

        Raises:
            Refused: the service is in a state from which it cannot deploy.
        """
        ...

    def operations(self, service: Service) -> tuple[Operation, ...]:
        """Return the newest operations, newest first."""
        ...


class Identity(Protocol):
    """Whose credentials these are."""

    def account(self) -> str:
        """Return the account's number.

        Raises:
            Denied: there are no credentials, they do not work, or they are of another account than configured.
        """
        ...


class Ledger(Protocol):
    """The append-only record."""

    def append(self, entry: Entry) -> None:
        """Write one entry."""
        ...

    def entries(self, environment: str, *, limit: int = 20) -> tuple[Entry, ...]:
        """Return an environment's entries, newest first."""
        ...


class Locks(Protocol):
    """One run at a time in each environment. Safe to use from several threads."""

    def find(self, environment: str) -> Lock | None:
        """Return the lock that stands, whether its lease has run out or not, as it is at this moment."""
        ...

    def take(self, wanted: Lock) -> Lock:
        """Take a lock that is free, or whose lease had run out by `wanted.since`.

        Returns:
            The lock that stands afterwards: with the token that was wanted when it was taken, and with a fence that
            is higher than ever before; else somebody else's, of which nothing was changed.
        """
        ...

    def renew(self, lock: Lock, *, expires: datetime) -> bool:
        """Move the end of a lease; return False, and change nothing, when the lock is another's or nobody's by now."""
        ...

    def release(self, lock: Lock) -> bool:
        """Give a lock back; return False, and change nothing, when it is another's or nobody's by now."""
        ...

    def inherited(self) -> Mapping[str, str]:
        """Return the tokens of the locks that a run above this one holds, by environment."""
        ...

    def pass_on(self, tokens: Mapping[str, str]) -> None:
        """Let the programs that this run starts from now on inherit these tokens, and no others."""
        ...


class Holds(Protocol):
    """What people want left as it is. A hold that has ended counts as absent. Safe to use from several threads."""

    def find(self, environment: str) -> Hold | None:
        """Return an environment's hold, as it is at this moment."""
        ...

    def add(self, hold: Hold) -> Hold:
        """Hold an environment that is not held, and return the hold that stands afterwards, whoever's it is."""
        ...

    def remove(self, environment: str) -> Hold | None:
        """End an environment's hold, and return the one that was ended."""
        ...


class Prober(Protocol):
    """Asks the running app over a new connection each time."""

    def ask(self, url: str, *, timeout: float, limit: int) -> Answer:
        """GET an address; follow no redirect; read at most `limit` bytes within `timeout` seconds.

        Every failure is an answer with a `fault`; nothing is raised.
        """
        ...


class Clock(Protocol):
    """Time, so that waiting can be tested."""

    def now(self) -> datetime:
        """Return the time, in UTC."""
        ...

    def elapsed(self) -> float:
        """Return seconds that only ever grow."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Reporter(Protocol):
    """Tells people what happens. Safe to call from several threads."""

    def heading(self, text: str) -> None:
        """Say what is about to happen to which environments."""
        ...

    def decided(self, label: Label, decision: Decision) -> None:
        """Say what a step has decided; an `Act` begins here."""
        ...

    def progress(self, label: Label, text: str) -> None:
        """Say how far an act is."""
        ...

    def acted(self, label: Label, reason: str, seconds: float) -> None:
        """Say that an act has ended well."""
        ...

    def failed(self, label: Label, seconds: float) -> None:
        """Say that an act has ended badly; the error itself follows."""
        ...

    def note(self, text: str) -> None:
        """Say something else that people should know."""
        ...


class Account(Protocol):
    """What only `doctor` and `setup` ask of the cloud account, and what they put right in it."""

    def caller(self) -> Caller:
        """Return whose credentials these are.

        Raises:
            Denied: there are no credentials, they do not work, or they are of another account than configured.
        """
        ...

    def regions(self) -> tuple[str, ...]:
        """Return the regions that have the platform, as far as is known without asking."""
        ...

    def skew(self) -> float:
        """Return the seconds by which this machine's clock is ahead of the cloud's; to half a second.

        Raises:
            Unreachable: there is no answer.
        """
        ...

    def permissions(self) -> tuple[Permission, ...]:
        """Return for every task whether the credentials suffice; nothing is changed to find out."""
        ...

    def table(self) -> Table:
        """Return the ledger's table as it is now."""
        ...

    def create_table(self) -> None:
        """Create the ledger's table and make it recoverable; again does no harm."""
        ...

    def tag_rules(self, repository: str) -> TagRules:
        """Return which tags of a repository may move.

        Raises:
            NotFound: there is no such repository.
        """
        ...

    def set_tag_rules(self, repository: str, rules: TagRules) -> None:
        """Say which tags of a repository may move."""
        ...

    def lifecycle(self, repository: str) -> tuple[Rule, ...]:
        """Return the rules by which a repository loses images; empty when it keeps them.

        Raises:
            Refused: the policy cannot be read.
        """
        ...

    def images(self, repository: str) -> tuple[StoredImage, ...]:
        """Return every image of a repository, untagged ones too."""
        ...

    def mounts_blobs(self) -> bool:
        """Return whether repositories share blobs without a transfer."""
        ...

    def mount_blobs(self) -> None:
        """Let repositories share blobs without a transfer."""
        ...


class Machine(Protocol):
    """What this machine brings along for a release."""

    def engine(self) -> Engine:
        """Return what would build an image.

        Raises:
            Refused: the configured engine does not work, or none does.
        """
        ...


class Tools(Protocol):
    """Everything a step may use. The outside is reached only through these."""

    @property
    def settings(self) -> Settings: ...
    @property
    def actor(self) -> str: ...
    @property
    def documents(self) -> Documents: ...
    @property
    def scm(self) -> Scm: ...
    @property
    def builder(self) -> Builder: ...
    @property
    def registry(self) -> Registry: ...
    @property
    def platform(self) -> Platform: ...
    @property
    def identity(self) -> Identity: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def locks(self) -> Locks: ...
    @property
    def holds(self) -> Holds: ...
    @property
    def account(self) -> Account: ...
    @property
    def machine(self) -> Machine: ...
    @property
    def prober(self) -> Prober: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def reporter(self) -> Reporter: ...
