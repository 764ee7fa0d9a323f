"""Time zones by the names that people use: cities, countries, abbreviations."""

from __future__ import annotations

import functools
import unicodedata
from zoneinfo import ZoneInfo, available_timezones

from conversations.tools.base import ToolError

# zone: names beside the zone's own city
NAMES = {
    "America/New_York": "new york city, nyc, boston, washington, washington dc, philadelphia, miami, atlanta,"
    " eastern time, us eastern, est, edt, et, brooklyn, manhattan, florida, pittsburgh, cleveland, orlando",
    "America/Chicago": "dallas, houston, austin, texas, minneapolis, st louis, new orleans, central time,"
    " us central, cst, cdt, nashville, milwaukee, kansas city, san antonio, memphis",
    "America/Denver": "colorado, salt lake city, utah, mountain time, us mountain, mst, mdt, albuquerque",
    "America/Phoenix": "arizona, tucson",
    "America/Los_Angeles": "la, l a, san francisco, sf, seattle, san diego, california, portland, las vegas,"
    " silicon valley, pacific time, us pacific, pst, pdt, pt, san jose, sacramento, oakland, hollywood",
    "America/Anchorage": "alaska",
    "Pacific/Honolulu": "hawaii",
    "America/Toronto": "ottawa, montreal, quebec, ontario",
    "America/Vancouver": "british columbia",
    "America/Edmonton": "calgary, alberta",
    "America/Sao_Paulo": "rio, rio de janeiro, brasilia",
    "America/Argentina/Buenos_Aires": "argentina",
    "America/Santiago": "chile",
    "America/Lima": "peru",
    "America/Bogota": "colombia",
    "America/Caracas": "venezuela",
    "America/Havana": "cuba",
    "America/Jamaica": "kingston",
    "Europe/London": "uk, u k, united kingdom, england, britain, great britain, scotland, wales, edinburgh,"
    " glasgow, manchester, birmingham, liverpool, cardiff, bristol, oxford, cambridge, bst",
    "Europe/Dublin": "ireland",
    "Europe/Lisbon": "portugal, porto",
    "Europe/Madrid": "spain, barcelona, seville, valencia",
    "Europe/Paris": "france, lyon, marseille, nice, toulouse, cet, cest",
    "Europe/Berlin": "germany, munich, hamburg, cologne, frankfurt, stuttgart, leipzig, dresden, dusseldorf",
    "Europe/Amsterdam": "netherlands, holland, rotterdam, the hague, utrecht",
    "Europe/Brussels": "belgium, antwerp, ghent",
    "Europe/Zurich": "switzerland, geneva, bern, basel",
    "Europe/Vienna": "austria, salzburg, graz",
    "Europe/Rome": "italy, milan, naples, florence, venice, turin",
    "Europe/Athens": "greece",
    "Europe/Stockholm": "sweden, gothenburg, malmo",
    "Europe/Oslo": "norway, bergen",
    "Europe/Copenhagen": "denmark",
    "Europe/Helsinki": "finland",
    "Europe/Warsaw": "poland, krakow, cracow, gdansk, wroclaw",
    "Europe/Prague": "czech republic, czechia, brno",
    "Europe/Budapest": "hungary",
    "Europe/Bucharest": "romania",
    "Europe/Sofia": "bulgaria",
    "Europe/Belgrade": "serbia",
    "Europe/Zagreb": "croatia, split",
    "Europe/Kyiv": "ukraine, kiev, lviv, odesa",
    "Europe/Moscow": "st petersburg, saint petersburg, msk",
    "Europe/Istanbul": "turkey, turkiye, ankara, izmir",
    "Atlantic/Reykjavik": "iceland",
    "Asia/Tokyo": "japan, osaka, kyoto, sapporo, jst, yokohama, fukuoka",
    "Asia/Seoul": "korea, south korea, busan, kst",
    "Asia/Shanghai": "china, beijing, shenzhen, guangzhou, chengdu, wuhan",
    "Asia/Hong_Kong": "hk",
    "Asia/Taipei": "taiwan",
    "Asia/Singapore": "sg",
    "Asia/Kolkata": "india, mumbai, bombay, delhi, new delhi, bangalore, bengaluru, chennai, hyderabad,"
    " calcutta, pune, ist",
    "Asia/Karachi": "pakistan, lahore, islamabad",
    "Asia/Dhaka": "bangladesh",
    "Asia/Colombo": "sri lanka",
    "Asia/Kathmandu": "nepal",
    "Asia/Dubai": "uae, united arab emirates, abu dhabi",
    "Asia/Riyadh": "saudi arabia, jeddah, mecca",
    "Asia/Qatar": "doha",
    "Asia/Tehran": "iran",
    "Asia/Baghdad": "iraq",
    "Asia/Jerusalem": "israel, tel aviv",
    "Asia/Bangkok": "thailand",
    "Asia/Ho_Chi_Minh": "vietnam, saigon, ho chi minh city, hanoi",
    "Asia/Makassar": "bali, denpasar",
    "Asia/Kuala_Lumpur": "malaysia, kl",
    "Asia/Manila": "philippines",
    "Africa/Cairo": "egypt, alexandria",
    "Africa/Lagos": "nigeria, abuja",
    "Africa/Nairobi": "kenya",
    "Africa/Johannesburg": "south africa, cape town, pretoria, durban",
    "Africa/Casablanca": "morocco, marrakesh, rabat",
    "Africa/Accra": "ghana",
    "Africa/Addis_Ababa": "ethiopia",
    "Australia/Sydney": "canberra, aest, aedt, new south wales",
    "Australia/Melbourne": "victoria",
    "Australia/Brisbane": "queensland, gold coast",
    "Australia/Perth": "western australia",
    "Australia/Adelaide": "south australia",
    "Pacific/Auckland": "new zealand, nz, wellington, christchurch",
    "UTC": "gmt, zulu, greenwich, coordinated universal time, universal time",
}
_SEVERAL = (
    "usa, us, u s a, united states, america, canada, australia, russia, brazil, mexico, indonesia, kazakhstan,"
    " europe, asia, africa"
)
SEVERAL = frozenset(_SEVERAL.split(", "))


@functools.cache
def _zones() -> dict[str, str]:
    zones: dict[str, str] = {}
    for key in sorted(available_timezones()):
        area, _, city = key.rpartition("/")
        if area and not area.startswith(("Etc", "posix", "right", "US", "SystemV")):
            zones.setdefault(_plain(city), key)
    for key, names in NAMES.items():
        zones |= {name.strip(): key for name in names.split(",")}
        zones[_plain(key.rpartition("/")[2])] = key
    return zones


def find_zone(place: str) -> ZoneInfo:
    """The zone of a city, country or abbreviation, or of an IANA name. Raises ToolError."""
    name = _plain(place)
    if name in SEVERAL:
        raise ToolError(f"{place.strip()[:50]} has several time zones; name a city there.")
    key = _zones().get(name)
    if key is None and place.strip() in available_timezones():
        key = place.strip()
    if key is None:
        raise ToolError(f"I do not know the time zone of {place.strip()[:50]!r}.")
    return ZoneInfo(key)


def _plain(name: str) -> str:
    """Lower case, no accents, words parted by single spaces."""
    decomposed = unicodedata.normalize("NFKD", name.lower())
    letters = "".join(
        mark if mark.isalnum() else " " for mark in decomposed if not unicodedata.combining(mark)
    )
    return " ".join(letters.removeprefix("the ").split())
