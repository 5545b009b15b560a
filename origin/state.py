"""Everything a request needs, put together once."""

from dataclasses import dataclass

from starlette.requests import Request

from origin.admin.programmes import Programmes
from origin.booking.gone import Gone
from origin.booking.together import Bookings
from origin.capacity.crowd import Crowd
from origin.capacity.feed import Feed
from origin.config import OriginConfig
from origin.db.pool import Database
from origin.db.replica import Reader
from origin.eligibility.decisions import Decisions
from origin.gate import Gate
from origin.household.members import Households
from origin.identity import People
from origin.inventory.feeds.publish import Feeds
from origin.inventory.nearest import Nearest
from origin.inventory.store import SlotStore
from origin.metrics import OriginMetrics
from origin.offers.store import OfferStore
from origin.waitlist.store import WaitlistStore
from shared.clock import Clock
from shared.ids import Ids


@dataclass(frozen=True)
class OriginState:
    """What the use cases work with."""

    config: OriginConfig
    clock: Clock
    ids: Ids
    metrics: OriginMetrics
    database: Database
    reader: Reader
    programmes: Programmes
    gate: Gate
    people: People
    households: Households
    decisions: Decisions
    slots: SlotStore
    nearest: Nearest
    gone: Gone
    bookings: Bookings
    offers: OfferStore
    waitlist: WaitlistStore
    crowd: Crowd
    capacity: Feed
    feeds: Feeds


def state_of(request: Request) -> OriginState:
    """Return the state that the app's lifespan put beside each request."""
    state: OriginState = request.scope["state"]["origin"]
    return state
