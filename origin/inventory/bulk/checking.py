"""From the rows of files to what goes into the database: every row is checked, alone and against those before it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from origin.inventory.bulk import rows
from origin.inventory.bulk.cells import CellFault
from origin.inventory.bulk.faults import Fault, Faults
from origin.inventory.bulk.files import SupplyFile
from origin.inventory.bulk.moments import moment_of

_LONGEST_SLOT = timedelta(hours=24)
T = TypeVar("T")

StagedSlot = tuple[int, int, str, datetime, datetime, str, int, int | None]
"""Number of the source, line, code of the site, start, end, product, capacity, template."""


class KnownSite(msgspec.Struct, frozen=True):
    """What must be known of a site to check its slots. No ``products``: it may give any."""

    time_zone: str
    products: list[str]


@dataclass
class Directory:
    """Regions and sites that rows may name: those in the database, and those that were read before."""

    regions: set[str] = field(default_factory=set)
    sites: dict[str, KnownSite] = field(default_factory=dict)


@dataclass
class Batch:
    """What was read of everything but slots; their number is small enough to keep."""

    regions: list[rows.Region] = field(default_factory=list)
    sites: list[rows.Site] = field(default_factory=list)
    templates: list[rows.ClinicTemplate] = field(default_factory=list)
    exceptions: list[rows.ClinicException] = field(default_factory=list)


class Checker:
    """Reads files in the order of ``rows.KINDS``; what is wrong goes into ``faults``, what is good into ``batch``."""

    def __init__(self, directory: Directory, faults: Faults) -> None:
        self.batch = Batch()
        self._directory = directory
        self._faults = faults
        self._first_seen: dict[tuple[str, object], tuple[str, int]] = {}

    def read(self, file: SupplyFile) -> None:
        """Read a file of anything but slots."""
        match file.kind.name:
            case "regions":
                for _, region in self._good(file, rows.region, lambda row: row.id):
                    self._directory.regions.add(region.id)
                    self.batch.regions.append(region)
            case "sites":
                self._sites(file)
            case "templates":
                for line, template in self._good(file, rows.template, lambda row: row.code):
                    if self._site(file, line, template.site, template.product) is not None:
                        self.batch.templates.append(template)
            case _:
                self._exceptions(file)

    def where_is_site(self, code: str) -> tuple[str, int]:
        """Return file and line of a site that was read."""
        return self._first_seen["sites", code]

    def slots(self, file: SupplyFile, source: int) -> Iterator[StagedSlot]:
        """Yield the good slots of a file, one at a time; that none comes twice is for the database to see."""
        for number, given in file:
            line = self._line(given)
            if line is None:
                continue
            row = rows.slot(line)
            staged = None if line.faults else self._staged(file, number, row, line, source)
            if staged is None:
                self._tell(file, number, line)
            else:
                yield staged

    def _staged(self, file: SupplyFile, number: int, row: rows.Slot, line: rows.Line, source: int) -> StagedSlot | None:
        site = self._site(file, number, row.site, row.product)
        if site is None:
            return None
        starts_at = self._moment(line, "starts_at", row.starts_at, site.time_zone)
        ends_at = self._moment(line, "ends_at", row.ends_at, site.time_zone)
        line.check(starts_at < ends_at, "ends_at", "order", "a slot ends after it starts")
        line.check(ends_at - starts_at <= _LONGEST_SLOT, "ends_at", "order", "a slot is 24 hours long at most")
        if line.faults:
            return None
        return source, number, row.site, starts_at, ends_at, row.product, row.capacity, None

    def _moment(self, line: rows.Line, column: str, written: datetime, zone: str) -> datetime:
        try:
            return moment_of(written, zone)
        except CellFault as fault:
            line.faults.append((column, fault))
            return moment_of(rows.NO_MOMENT, zone)

    def _sites(self, file: SupplyFile) -> None:
        for line, site in self._good(file, rows.site, lambda row: row.code):
            if site.region not in self._directory.regions:
                self._faults.add(file.fault(line, "region", "region_unknown", f"there is no region {site.region}"))
                continue
            known = self._directory.sites.get(site.code)
            products = known.products if site.products is None and known is not None else site.products or []
            self._directory.sites[site.code] = KnownSite(site.time_zone, products)
            self.batch.sites.append(site)

    def _exceptions(self, file: SupplyFile) -> None:
        for line, row in self._good(file, rows.exception, lambda row: (row.region, row.site, row.day)):
            if row.region is not None and row.region not in self._directory.regions:
                self._faults.add(file.fault(line, "region", "region_unknown", f"there is no region {row.region}"))
            elif row.site is None or self._site(file, line, row.site, None) is not None:
                self.batch.exceptions.append(row)

    def _site(self, file: SupplyFile, line: int, code: str, product: str | None) -> KnownSite | None:
        site = self._directory.sites.get(code)
        if site is None:
            self._faults.add(file.fault(line, "site", "site_unknown", f"there is no site {code}"))
            return None
        if product is not None and site.products and product not in site.products:
            what = f"{code} gives {', '.join(site.products)}; add {product} to its products first"
            self._faults.add(file.fault(line, "product", "product_not_at_site", what))
            return None
        return site

    def _good(
        self, file: SupplyFile, read: Callable[[rows.Line], T], key: Callable[[T], object]
    ) -> Iterable[tuple[int, T]]:
        for number, given in file:
            line = self._line(given)
            if line is None:
                continue
            row = read(line)
            if line.faults:
                self._tell(file, number, line)
                continue
            first = self._first_seen.setdefault((file.kind.name, key(row)), (file.name, number))
            if first == (file.name, number):
                yield number, row
            else:
                self._faults.add(file.fault(number, "", "row_twice", f"the same is in {first[0]}:{first[1]}"))

    def _line(self, given: Mapping[str, str] | Fault) -> rows.Line | None:
        if isinstance(given, Fault):
            self._faults.add(given)
            return None
        return rows.Line(given)

    def _tell(self, file: SupplyFile, number: int, line: rows.Line) -> None:
        for column, fault in line.faults:
            self._faults.add(file.fault(number, column, fault.code, fault.what))
