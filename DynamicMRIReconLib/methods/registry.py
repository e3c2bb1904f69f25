"""The list of methods: every module in this folder that registers one. Nothing else needs to know them by name."""

from __future__ import annotations

import difflib
import importlib
import inspect
import pkgutil
from functools import cache
from types import MappingProxyType
from typing import Any, TypeVar

from DynamicMRIReconLib import methods as package
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.methods.base import Method

_registered: dict[str, Method] = {}
MethodClass = TypeVar("MethodClass", bound=type[Method])


def register(cls: MethodClass) -> MethodClass:
    """Class decorator: make a method known under its ``key``."""
    if cls.key in _registered and type(_registered[cls.key]).__qualname__ != cls.__qualname__:
        raise ValueError(f"Two methods are called {cls.key!r}.")
    _registered[cls.key] = cls()
    return cls


@cache
def _import_all() -> None:
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")


def all_methods() -> MappingProxyType[str, Method]:
    """Every method by key, in alphabetical order."""
    _import_all()
    return MappingProxyType(dict(sorted(_registered.items())))


def get(key: str) -> Method:
    """The method called ``key``.

    Raises
    ------
    InputError
        If there is none; names the nearest ones.
    """
    methods = all_methods()
    if key in methods:
        return methods[key]
    near = difflib.get_close_matches(key, methods, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise InputError(f"There is no method {key!r}.{hint} Known methods: {', '.join(methods)}.")


def describe(method: Method) -> dict[str, Any]:
    """JSON-able description of one method, enough to draw its form: see ``describe_parameters`` for the fields."""
    return {
        "key": method.key,
        "title": method.title,
        "description": method.description,
        "citation": method.citation,
        "input_kind": method.input_kind,
        "presets": method.presets,
        "parameters": describe_parameters(method),
    }


def describe_parameters(method: Method) -> list[dict[str, Any]]:
    """One entry a parameter: name, type, default, minimum, maximum, choices, nullable, unit, help, advanced.

    What a method adds comes before what it shares with others, as far as users see an order.
    """
    schema = method.Parameters.model_json_schema()
    own_first = dict.fromkeys(name for cls in method.Parameters.__mro__ for name in inspect.get_annotations(cls))
    properties = schema.get("properties", {})
    entries = []
    for name in (name for name in own_first if name in properties):
        spec = properties[name]
        options = spec.get("anyOf", [spec])
        main = next((option for option in options if option.get("type") != "null"), spec)
        main = {**main, **schema.get("$defs", {}).get(main.get("$ref", "").rpartition("/")[2], {})}
        entries.append(
            {
                "name": name,
                "title": _title(name),
                "type": "choice" if "enum" in main else main.get("type", "string"),
                "default": spec.get("default"),
                "minimum": main.get("minimum", main.get("exclusiveMinimum")),
                "maximum": main.get("maximum", main.get("exclusiveMaximum")),
                "choices": main.get("enum"),
                "nullable": any(option.get("type") == "null" for option in options),
                "unit": spec.get("unit", ""),
                "help": spec.get("description", ""),
                "advanced": spec.get("advanced", False),
            }
        )
    return entries


def _title(name: str) -> str:
    """A parameter's name as people write it; end diastole and end systole are ED and ES."""
    words = ["ED" if word == "ed" else "ES" if word == "es" else word for word in name.split("_")]
    return " ".join(words)[:1].upper() + " ".join(words)[1:]


def describe_all() -> list[dict[str, Any]]:
    """``describe`` of every method, as ``methods --json`` prints and the panel's forms are made from."""
    return [describe(method) for method in all_methods().values()]
