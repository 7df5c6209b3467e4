"""Options of a select. A template takes ten times as long for a select with thousands of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.simple_tag
def select_options(optgroups: Iterable[tuple[str | None, list[dict[str, Any]], int]]) -> SafeString:
    """Return the options of Django's `widget.optgroups`."""
    return mark_safe("".join(map(_group, optgroups)))  # noqa: S308 - each value is escaped


@register.simple_tag
def member_options(people: Iterable[Any], chosen: Any) -> SafeString:
    """Return an option for each of the people, who have `pk` and `name`. `chosen` is one of them or None."""
    pk = chosen.pk if chosen else None
    options = (_option(each.pk, each.name, {"selected": each.pk == pk}) for each in people)
    return mark_safe("".join(options))  # noqa: S308 - each value is escaped


def _group(group: tuple[str | None, list[dict[str, Any]], int]) -> str:
    name, choices, _index = group
    options = "".join(_option(each["value"], each["label"], each["attrs"]) for each in choices)
    return f'\n  <optgroup label="{escape(name)}">{options}\n  </optgroup>' if name else options


def _option(value: object, label: object, attributes: dict[str, Any]) -> str:
    return f'\n  <option value="{escape(value)}"{_attributes(attributes)}>{escape(label)}</option>'


def _attributes(attributes: dict[str, Any]) -> str:
    shown = {name: value for name, value in attributes.items() if value is not False}
    return "".join(
        f" {escape(name)}" if value is True else f' {escape(name)}="{escape(value)}"' for name, value in shown.items()
    )
