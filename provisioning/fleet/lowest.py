"""Where somebody must have a right to what concerns several places at once."""

from collections.abc import Sequence

from provisioning.fleet.schema.places import Place


def lowest_common(tenant: str, paths: Sequence[str]) -> int:
    """The lowest place that holds all of ``paths`` ("/1/5/"), of which there is at least one."""
    every = [path.strip("/").split("/") for path in paths]
    common = every[0]
    for path in every[1:]:
        same = [one == other for one, other in zip(common, path, strict=False)]
        common = common[: same.index(False) if False in same else len(same)]
    if common:
        return int(common[-1])
    root = Place.get((Place.tenant == tenant) & Place.parent.is_null())
    return int(root.id)
