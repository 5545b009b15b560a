"""The visitor's pages, assembled. Server-rendered, complete without JavaScript; nothing here decides or books."""

from starlette.routing import BaseRoute

from origin.config import OriginConfig
from origin.web.account import AccountPages
from origin.web.appointments import AppointmentPages
from origin.web.booking import BookingPages
from origin.web.check import CheckPages
from origin.web.decisions import DecisionPages
from origin.web.eligibility import EligibilityPages
from origin.web.household import HouseholdPages
from origin.web.household_times import HouseholdTimesPages
from origin.web.moving import MovePages
from origin.web.next_dose import NextDosePages
from origin.web.offers import OfferPages
from origin.web.site import Site
from origin.web.slots import SlotPages
from origin.web.staff.days import DayPages
from origin.web.staff.reopening import ReopenPages
from origin.web.staff.rules import RulesPages
from origin.web.staff.rules_acts import RulesActs
from origin.web.staff.sites import SitePages
from origin.web.staff.supply import SupplyPages
from origin.web.staff.support import SupportPages
from origin.web.together import TogetherPages
from origin.web.turn import TurnPages
from origin.web.waitlist import WaitlistPages
from shared.clock import Clock
from shared.ids import Ids
from shared.keys import KeyRing
from shared.web.errors import ErrorPages


class Pages:
    """All pages of one origin, their static files and their errors."""

    def __init__(self, config: OriginConfig, clock: Clock, ids: Ids) -> None:
        self._site = Site(config, clock, ids)
        rules = RulesPages(self._site)
        self._rooms = (
            AccountPages(self._site, config, ids),
            EligibilityPages(self._site),
            SlotPages(self._site),
            BookingPages(self._site, ids),
            NextDosePages(self._site, ids),
            TogetherPages(self._site),
            HouseholdPages(self._site),
            HouseholdTimesPages(self._site, ids),
            AppointmentPages(self._site),
            MovePages(self._site, ids),
            OfferPages(self._site),
            WaitlistPages(self._site),
            TurnPages(self._site),
            DecisionPages(self._site),
            SupportPages(self._site),
            SitePages(self._site),
            ReopenPages(self._site),
            DayPages(self._site, ids),
            CheckPages(self._site, config, clock),
            rules,
            RulesActs(self._site, rules),
            SupplyPages(self._site),
        )

    @property
    def ring(self) -> KeyRing:
        """The key ring of cookies, forms and sealed facts."""
        return self._site.ring

    @property
    def errors(self) -> ErrorPages:
        """What the app answers errors with."""
        return self._site.errors

    def routes(self) -> list[BaseRoute]:
        """Return all routes."""
        return [route for room in self._rooms for route in room.routes()] + [
            self._site.statics.route(),
            self._site.switch,
        ]
