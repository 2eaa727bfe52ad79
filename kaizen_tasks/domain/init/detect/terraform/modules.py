"""Terraform modules: the files of one folder, what their names mean, and which environments they are made for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from attrs import field, frozen
from lark import Tree

from kaizen_tasks.domain.init.detect.terraform import expressions
from kaizen_tasks.domain.init.detect.terraform.expressions import (
    UnsupportedExpressionError,
    Value,
    evaluate,
    evaluate_text,
)
from kaizen_tasks.domain.init.detect.terraform.hcl import Block, Expression, HclError, Node, parse_hcl
from kaizen_tasks.domain.init.evidence import Ignored

REGISTRY = "registry.amazonaws.com"
"""Stands for the registry of the account, which only Terraform knows."""

ENVIRONMENT_VARIABLES = ("env", "environment", "environment_name", "env_name", "stage", "workspace")
"""Names of variables that hold the environment's name."""

MAX_DEPTH = 12
"""Modules inside modules; a cycle would have no end."""


@frozen(kw_only=True)
class Module:
    """The `.tf` files of a folder.

    Attributes:
        path: the folder.
        blocks: all blocks.
        variables: defaults, by name.
        locals: expressions, by name.
    """

    path: str
    blocks: tuple[Block, ...] = ()
    variables: Mapping[str, Expression] = field(factory=dict)
    locals: Mapping[str, Expression] = field(factory=dict)

    def find(self, kind: str, *labels: str) -> Block | None:
        """Return the block of this kind with these labels, or None."""
        return next((each for each in self.blocks if (each.kind, each.labels) == (kind, labels)), None)

    def resources(self, *types: str) -> Iterator[Block]:
        """Yield the resources of these types."""
        return (each for each in self.blocks if each.kind == "resource" and each.labels[:1] and each.labels[0] in types)

    def default_provider(self, name: str) -> Block | None:
        """Return the provider that is used where none is named, or None."""
        providers = (each for each in self.blocks if (each.kind, each.labels) == ("provider", (name,)))
        return next((each for each in providers if "alias" not in each.attributes), None)

    def local_calls(self) -> Iterator[tuple[Block, str]]:
        """Yield each call of a module in a folder of the repository, with that folder."""
        for block in self.blocks:
            source = _literal(block.attributes["source"]) if "source" in block.attributes else ""
            if block.kind == "module" and source.startswith("."):
                yield block, _join(self.path, source)


def _join(folder: str, path: str) -> str:
    parts: list[str] = []
    for part in (*PurePosixPath(folder).parts, *PurePosixPath(path).parts):
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts) or "."


def _literal(expression: Expression) -> str:
    return evaluate_text(expression.node, NO_SCOPE)


class _NoScope:
    def resolve(self, names: tuple[str, ...]) -> tuple[Value, int]:
        raise UnsupportedExpressionError(".".join(names))


NO_SCOPE = _NoScope()


def load_modules(files: Mapping[str, str]) -> tuple[dict[str, Module], tuple[Ignored, ...]]:
    """Return the modules by folder, and the files that cannot be read."""
    blocks: dict[str, list[Block]] = {}
    ignored = []
    for path, text in files.items():
        if not path.endswith(".tf"):
            continue
        try:
            blocks.setdefault(str(PurePosixPath(path).parent), []).extend(parse_hcl(path, text).blocks)
        except HclError as error:
            ignored.append(Ignored(what=path, source=f"{path}:{error.line}", reason="is no HCL that can be read"))
    return {path: _module(path, tuple(found)) for path, found in blocks.items()}, tuple(ignored)


def _module(path: str, blocks: tuple[Block, ...]) -> Module:
    variables = {
        block.labels[0]: block.attributes["default"]
        for block in blocks
        if block.kind == "variable" and block.labels and "default" in block.attributes
    }
    local_values = {
        name: value for block in blocks if block.kind == "locals" for name, value in block.attributes.items()
    }
    return Module(path=path, blocks=blocks, variables=variables, locals=local_values)


class ModuleScope:
    """What names mean in a module.

    Args:
        modules: all modules, by folder.
        module: this one.
        inputs: values of its variables.
        environment: the environment's name; empty when it is not known.
        each: `each.key` and `each.value`.
        caller: the scope and the block of the call of this module, whose attributes are evaluated when they are
            needed: two modules may take outputs of each other.
        depth: how many modules are around this one.
    """

    def __init__(
        self,
        modules: Mapping[str, Module],
        module: Module,
        inputs: Mapping[str, Value],
        *,
        environment: str = "",
        each: Mapping[str, Value] | None = None,
        caller: tuple[ModuleScope, Block] | None = None,
        depth: int = 0,
    ) -> None:
        self.modules = modules
        self.module = module
        self.inputs = inputs
        self.environment = environment
        self.depth = depth
        self._each = dict(each or {})
        self._caller = caller
        self._open: set[str] = set()

    def repeated(self, key: str, value: Value) -> ModuleScope:
        """Return the scope of one instance of a `for_each`."""
        return ModuleScope(
            self.modules,
            self.module,
            self.inputs,
            environment=self.environment,
            each={"key": key, "value": value},
            caller=self._caller,
            depth=self.depth,
        )

    def called(self, call: Block, folder: str) -> ModuleScope | None:
        """Return the scope inside a module that is called; None when there is no such folder, or too many of them."""
        module = self.modules.get(folder)
        if module is None or self.depth >= MAX_DEPTH:
            return None
        scope = ModuleScope(self.modules, module, {}, caller=(self, call), depth=self.depth + 1)
        given = map(scope._given, ENVIRONMENT_VARIABLES)
        scope.environment = next((str(value) for value in given if value), self.environment)
        return scope

    @property
    def root(self) -> ModuleScope:
        """The scope of the module that no other one calls."""
        return self._caller[0].root if self._caller else self

    def walk(self) -> Iterator[ModuleScope]:
        """Yield the scope, and those of all modules that are called below it."""
        yield self
        for call, folder in self.module.local_calls():
            if inner := self.called(call, folder):
                yield from inner.walk()

    def resolve(self, names: tuple[str, ...]) -> tuple[Value, int]:
        """Return the value of a reference, and the number of its parts; see `expressions.Scope`."""
        match names:
            case ("terraform", "workspace", *_) if self.environment:
                return self.environment, 2
            case ("each", part, *_) if part in self._each:
                return self._each[part], 2
            case ("path", _, *_):
                return ".", 2
            case ("var", name, *_):
                return self._variable(name), 2
            case ("local", name, *_):
                return self._guarded(f"local.{name}", self.module.locals.get(name)), 2
            case _:
                return self._resolve_block(names)

    def _resolve_block(self, names: tuple[str, ...]) -> tuple[Value, int]:
        """Return the value of a reference to an attribute of a module, a data source or a resource."""
        match names:
            case ("module", name, output, *_):
                return self._output(name, output), 3
            case ("data", kind, name, attribute, *_):
                return self._attribute(self.module.find("data", kind, name), attribute), 4
            case (kind, name, attribute, *_):
                return self._attribute(self.module.find("resource", kind, name), attribute), 3
            case _:
                raise UnsupportedExpressionError(".".join(names))

    def _variable(self, name: str) -> Value:
        if (value := self._given(name)) is not None:
            return value
        if name in ENVIRONMENT_VARIABLES and self.environment:
            return self.environment
        return self._guarded(f"var.{name}", self.module.variables.get(name))

    def _given(self, name: str) -> Value:
        """Return the value that a variable is given; None for one without, or with one that only Terraform knows."""
        if self._caller is None or name not in self._caller[1].attributes:
            return self.inputs.get(name)
        scope, call = self._caller
        try:
            return scope._guarded(".".join((call.kind, *call.labels, name)), call.attributes[name])  # noqa: SLF001
        except UnsupportedExpressionError:
            return None

    def _guarded(self, name: str, expression: Expression | None) -> Value:
        """Evaluate an expression that may refer to others, and not to itself."""
        if expression is None or name in self._open:
            raise UnsupportedExpressionError(name)
        self._open.add(name)
        try:
            return evaluate(expression.node, self)
        finally:
            self._open.discard(name)

    def _attribute(self, block: Block | None, attribute: str) -> Value:
        if block is None:
            raise UnsupportedExpressionError(attribute)
        if attribute == "repository_url":
            return f"{REGISTRY}/{self._attribute(block, 'name')}"
        if block.labels[0] == "aws_ecs_cluster" and attribute in {"id", "arn", "name"}:
            attribute = "name" if block.kind == "resource" else "cluster_name"
        return self._guarded(".".join((*block.labels, attribute)), block.attributes.get(attribute))

    def _output(self, name: str, output: str) -> Value:
        for call, folder in self.module.local_calls():
            if call.labels == (name,) and (scope := self.called(call, folder)):
                block = scope.module.find("output", output)
                return scope._guarded(f"output.{output}", block.attributes.get("value") if block else None)  # noqa: SLF001
        call_block = self.module.find("module", name)
        if call_block and output == "repository_url" and "repository_name" in call_block.attributes:
            return f"{REGISTRY}/{evaluate(call_block.attributes['repository_name'].node, self)}"
        if call_block and output.startswith("cluster"):
            names = (call_block.attributes[key] for key in ("cluster_name", "name") if key in call_block.attributes)
            return self._guarded(f"module.{name}.{output}", next(names, None))
        raise UnsupportedExpressionError(name)


def compared_environments(module: Module, scope: ModuleScope) -> tuple[str, ...]:
    """Return the environments that a module tells apart: those it compares with, and the keys of its tables."""
    references: set[tuple[str, ...]] = {("terraform", "workspace"), *(("var", name) for name in ENVIRONMENT_VARIABLES)}
    references |= {
        ("local", name)
        for name, expression in module.locals.items()
        if expressions.dotted_name(expression.node) in references
    }
    names: list[str] = []
    for expression in _expressions(module.blocks):
        if isinstance(expression.node, Tree):
            for node in expression.node.iter_subtrees_topdown():  # type: ignore[no-untyped-call]
                names += _compared_names(node, references, scope)
    return tuple(dict.fromkeys(name for name in names if name))


def _compared_names(node: Tree, references: set[tuple[str, ...]], scope: ModuleScope) -> Iterator[str]:  # type: ignore[type-arg]
    compared, table = expressions.selected_by(node, references)
    if compared is not None:
        yield evaluate_text(compared, scope)
    if table is not None:
        try:
            value = evaluate(table, scope)
        except UnsupportedExpressionError:
            return
        if isinstance(value, dict | tuple):
            yield from (each for each in value if isinstance(each, str))


def _expressions(blocks: Sequence[Block]) -> Iterator[Expression]:
    for block in blocks:
        yield from block.attributes.values()
        yield from _expressions(block.blocks)


def read_variables(path: str, text: str) -> tuple[Mapping[str, Value], Mapping[str, str]]:
    """Return the values of a `.tfvars` file, and the source of each, by name."""
    try:
        attributes = parse_hcl(path, text).attributes
    except HclError:
        return {}, {}
    values = {name: _value(expression.node) for name, expression in attributes.items()}
    return values, {name: expression.source for name, expression in attributes.items()}


def _value(node: Node) -> Value:
    try:
        return evaluate(node, NO_SCOPE)
    except UnsupportedExpressionError:
        return None
