"""Lists: ``offset``, ``limit``, ``sort`` and ``q``, and how many there are in all."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from starlette.exceptions import HTTPException

from provisioning.fleet.management.door import Asked
from provisioning.fleet.management.rsql import NotRsql, parse

LIMIT, LIMIT_MAX = 50, 500
OFFSET_MAX = 10_000_000


def page(
    asked: Asked, rows: Any, fields: Mapping[str, Any], shown: Callable[[Sequence[Any]], Sequence[dict[str, Any]]]
) -> dict[str, Any]:
    """``rows``: a question of peewee for one city. ``fields``: names for ``q`` and ``sort``, in lower case.

    Raises:
        HTTPException: 400, the question cannot be read.
    """
    words = asked.request.query_params.get("q", "")
    try:
        found = rows.where(parse(words, fields)) if words.strip() else rows
    except NotRsql as error:
        raise HTTPException(400, str(error)) from None
    total = found.count()
    ordered = found.order_by(*_order(asked.request.query_params.get("sort", ""), fields), rows.model._meta.primary_key)
    part = list(
        ordered.offset(_number(asked, "offset", 0, OFFSET_MAX)).limit(_number(asked, "limit", LIMIT, LIMIT_MAX))
    )
    content = list(shown(part))
    return {"content": content, "total": total, "size": len(content)}


def whole(content: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A short list that is never cut."""
    return {"content": list(content), "total": len(content), "size": len(content)}


def _number(asked: Asked, name: str, least: int, most: int) -> int:
    told = asked.request.query_params.get(name, str(least))
    if not told.isascii() or not told.isdigit() or len(told) > 9:
        raise HTTPException(400, f"{name} is a whole number.")
    return min(int(told), most)


def _order(words: str, fields: Mapping[str, Any]) -> list[Any]:
    """``name:ASC,version:DESC``"""
    order = []
    for one in filter(None, words.split(",")[:5]):
        name, _, way = one.strip().partition(":")
        field = fields.get(name.lower())
        if field is None or callable(field) or way.upper() not in ("", "ASC", "DESC"):
            raise HTTPException(400, f"Nothing is sorted by {one[:40]}.")
        order.append(field.desc() if way.upper() == "DESC" else field.asc())
    return order
