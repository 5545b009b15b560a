"""From the rows of files to what goes into the database: every row is checked, alone and against those before it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from origin.inventory.bulk import rows
from origin.inventory.bulk.cells import CellFault
from origin.inventory.bulk.fault_kinds import FaultKind
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
                for region in self._good(file, rows.region, lambda row: row.id, _nothing_more):
                    self._directory.regions.add(region.id)
                    self.batch.regions.append(region)
            case "sites":
                for site in self._good(file, rows.site, lambda row: row.code, self._check_site):
                    self._know(site)
                    self.batch.sites.append(site)
            case "templates":
                good = self._good(file, rows.template, lambda row: row.code, self._check_template)
                self.batch.templates.extend(good)
            case _:
                self.batch.exceptions.extend(self._good(file, rows.exception, _scope_and_day, self._check_exception))

    def where_is_site(self, code: str) -> tuple[str, int]:
        """Return file and line of a site that was read."""
        return self._first_seen["sites", code]

    def slots(self, file: SupplyFile, source: int) -> Iterator[StagedSlot]:
        """Yield the good slots of a file, one at a time; that none comes twice is for the database to see."""
        for number, given in file:
            if isinstance(given, Fault):
                self._faults.add(given)
                continue
            line = rows.Line(given)
            row = rows.slot(line)
            site = self._site(line, row.site, row.product)
            starts_at = self._moment(line, "starts_at", row.starts_at, site)
            ends_at = self._moment(line, "ends_at", row.ends_at, site)
            line.check(starts_at < ends_at, "ends_at", FaultKind.ORDER_SLOT)
            line.check(ends_at - starts_at <= _LONGEST_SLOT, "ends_at", FaultKind.ORDER_SLOT_LONG)
            if line.faults:
                self._tell(file, number, line)
            else:
                yield source, number, row.site, starts_at, ends_at, row.product, row.capacity, None

    def _moment(self, line: rows.Line, column: str, written: datetime, site: KnownSite | None) -> datetime:
        try:
            return rows.NO_MOMENT if site is None else moment_of(written, site.time_zone)
        except CellFault as fault:
            line.faults.append((column, fault))
            return rows.NO_MOMENT

    def _know(self, site: rows.Site) -> None:
        known = self._directory.sites.get(site.code)
        products = known.products if site.products is None and known is not None else site.products or []
        self._directory.sites[site.code] = KnownSite(site.time_zone, products)

    def _check_site(self, line: rows.Line, site: rows.Site) -> None:
        self._region(line, site.region)

    def _check_template(self, line: rows.Line, template: rows.ClinicTemplate) -> None:
        self._site(line, template.site, template.product)

    def _check_exception(self, line: rows.Line, exception: rows.ClinicException) -> None:
        self._region(line, exception.region or "")
        self._site(line, exception.site or "", "")

    def _region(self, line: rows.Line, region: str) -> None:
        """Note a region that is not known; an empty one is at fault already, or not meant."""
        if region and region not in self._directory.regions:
            line.faults.append(("region", CellFault(FaultKind.REGION_UNKNOWN, region=region)))

    def _site(self, line: rows.Line, code: str, product: str) -> KnownSite | None:
        """Return a site, or note that it is not known or does not give the product; as for regions, where empty."""
        site = self._directory.sites.get(code)
        if site is None and code:
            line.faults.append(("site", CellFault(FaultKind.SITE_UNKNOWN, site=code)))
        if site is not None and product and site.products and product not in site.products:
            given = {"site": code, "products": ", ".join(site.products), "product": product}
            line.faults.append(("product", CellFault(FaultKind.PRODUCT_NOT_AT_SITE, **given)))
        return site

    def _good(
        self,
        file: SupplyFile,
        read: Callable[[rows.Line], T],
        key: Callable[[T], object],
        check: Callable[[rows.Line, T], None],
    ) -> Iterator[T]:
        for number, given in file:
            if isinstance(given, Fault):
                self._faults.add(given)
                continue
            line = rows.Line(given)
            row = read(line)
            check(line, row)
            if not line.faults:
                first = self._first_seen.setdefault((file.kind.name, key(row)), (file.name, number))
                line.check(first == (file.name, number), "", FaultKind.ROW_TWICE, place=f"{first[0]}:{first[1]}")
            if line.faults:
                self._tell(file, number, line)
            else:
                yield row

    def _tell(self, file: SupplyFile, number: int, line: rows.Line) -> None:
        for column, fault in line.faults:
            self._faults.add(Fault.of(fault.kind, file.name, number, column, **fault.given))


def _nothing_more(_line: rows.Line, _row: object) -> None:
    """Check nothing more."""


def _scope_and_day(row: rows.ClinicException) -> object:
    return row.region, row.site, row.day
