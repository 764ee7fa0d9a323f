"""Units by dimension with their exact, defined factors to the dimension's base unit."""

from __future__ import annotations

from fractions import Fraction

import msgspec


class Unit(msgspec.Struct, frozen=True):
    """`factor` and `offset` lead to the base unit: base = (value + offset) * factor."""

    name: str
    dimension: str
    factor: Fraction
    offset: Fraction = Fraction(0)

    def named(self, amount: Fraction) -> str:
        """Its name in the singular or the plural."""
        first, *rest = self.name.split(" per ")
        if amount == 1:
            return self.name
        for one, many in PLURALS.items():
            if first.endswith(one):
                return " per ".join([first.removesuffix(one) + many, *rest])
        return " per ".join([f"{first}s", *rest])


PLURALS = {
    "foot": "feet",
    "inch": "inches",
    "degree Celsius": "degrees Celsius",
    "degree Fahrenheit": "degrees Fahrenheit",
    "of mercury": "of mercury",
    "kelvin": "kelvins",
    "horsepower": "horsepower",
}
# dimension: lines of "name | factor | other spellings"; a plural s is understood.
TABLE = {
    "length": """
        metre | 1 | m meter
        kilometre | 1000 | km kilometer kms
        centimetre | 0.01 | cm centimeter cms
        millimetre | 0.001 | mm millimeter
        micrometre | 0.000001 | µm um micrometer micron
        nanometre | 0.000000001 | nm nanometer
        mile | 1609.344 | mi
        yard | 0.9144 | yd yds
        foot | 0.3048 | ft feet '
        inch | 0.0254 | in inches "
        nautical mile | 1852 | nmi
        light-year | 9460730472580800 | ly lightyear
        astronomical unit | 149597870700 | au
        furlong | 201.168 |
        fathom | 1.8288 |""",
    "area": """
        square metre | 1 | m2 sqm square_meter
        square kilometre | 1000000 | km2 square_kilometer
        square centimetre | 0.0001 | cm2 square_centimeter
        square millimetre | 0.000001 | mm2 square_millimeter
        hectare | 10000 | ha
        acre | 4046.8564224 |
        square mile | 2589988.110336 | sqmi mi2
        square yard | 0.83612736 | sqyd yd2
        square foot | 0.09290304 | sqft ft2 square_feet
        square inch | 0.00064516 | sqin in2 square_inches""",
    "volume": """
        litre | 1 | l liter lt
        millilitre | 0.001 | ml milliliter
        centilitre | 0.01 | cl centiliter
        decilitre | 0.1 | dl deciliter
        cubic metre | 1000 | m3 cubic_meter
        cubic centimetre | 0.001 | cm3 cc cubic_centimeter
        cubic foot | 28.316846592 | ft3 cuft cubic_feet
        cubic inch | 0.016387064 | in3 cubic_inches
        US gallon | 3.785411784 | gal gallon us_gal
        US quart | 0.946352946 | qt quart
        US pint | 0.473176473 | pt pint
        US cup | 0.2365882365 | cup
        US fluid ounce | 0.0295735295625 | floz fl_oz fluid_ounce
        US tablespoon | 0.01478676478125 | tbsp tablespoon
        US teaspoon | 0.00492892159375 | tsp teaspoon
        imperial gallon | 4.54609 | uk_gallon
        imperial pint | 0.56826125 | uk_pint
        oil barrel | 158.987294928 | bbl barrel barrel_of_oil""",
    "mass": """
        kilogram | 1 | kg kgs kilo kilogramme
        gram | 0.001 | g gramme
        milligram | 0.000001 | mg milligramme
        microgram | 0.000000001 | µg ug mcg
        tonne | 1000 | t metric_ton
        pound | 0.45359237 | lb lbs
        ounce | 0.028349523125 | oz
        stone | 6.35029318 | st
        US ton | 907.18474 | short_ton ton
        imperial ton | 1016.0469088 | long_ton
        carat | 0.0002 | ct
        troy ounce | 0.0311034768 | ozt""",
    "time": """
        second | 1 | s sec secs
        millisecond | 0.001 | ms
        microsecond | 0.000001 | µs us
        nanosecond | 0.000000001 | ns
        minute | 60 | min mins
        hour | 3600 | h hr hrs
        day | 86400 | d
        week | 604800 | wk
        fortnight | 1209600 |
        mean Gregorian month | 2629746 | month
        mean Gregorian year | 31556952 | year yr yrs""",
    "speed": """
        metre per second | 1 | m/s mps meter_per_second metres_per_second meters_per_second
        kilometre per hour | 5/18 | km/h kmh kph kilometer_per_hour kilometres_per_hour kilometers_per_hour
        mile per hour | 0.44704 | mph mi/h miles_per_hour
        foot per second | 0.3048 | ft/s fps feet_per_second
        knot | 463/900 | kn kt""",
    "energy": """
        joule | 1 | j
        kilojoule | 1000 | kj
        megajoule | 1000000 | mj
        calorie | 4.184 | cal
        kilocalorie | 4184 | kcal
        watt-hour | 3600 | wh watt_hour
        kilowatt-hour | 3600000 | kwh kilowatt_hour
        electronvolt | 0.0000000000000000001602176634 | ev
        British thermal unit | 1055.05585262 | btu""",
    "power": """
        watt | 1 | w
        kilowatt | 1000 | kw
        megawatt | 1000000 | mw
        mechanical horsepower | 745.69987158227022 | hp horsepower
        metric horsepower | 735.49875 | ps""",
    "pressure": """
        pascal | 1 | pa
        hectopascal | 100 | hpa
        kilopascal | 1000 | kpa
        bar | 100000 |
        millibar | 100 | mbar
        standard atmosphere | 101325 | atm atmosphere
        pound per square inch | 6894.757293168 | psi
        millimetre of mercury | 133.322387415 | mmhg torr""",
    "angle": """
        degree | 1 | deg °
        full turn | 360 | turn revolution
        gradian | 0.9 | gon grad
        arcminute | 1/60 | arcmin
        arcsecond | 1/3600 | arcsec""",
    "data": """
        bit | 1/8 |
        byte | 1 | b
        kilobyte | 1000 | kb
        megabyte | 1000000 | mb
        gigabyte | 1000000000 | gb
        terabyte | 1000000000000 | tb
        petabyte | 1000000000000000 | pb
        kibibyte | 1024 | kib
        mebibyte | 1048576 | mib
        gibibyte | 1073741824 | gib
        tebibyte | 1099511627776 | tib
        kilobit | 125 | kbit
        megabit | 125000 | mbit
        gigabit | 125000000 | gbit""",
}
TEMPERATURES = (
    (Unit("kelvin", "temperature", Fraction(1)), "k"),
    (
        Unit("degree Celsius", "temperature", Fraction(1), Fraction("273.15")),
        "c °c celsius celcius centigrade celcius degree_c degree_celsius degree_celcius degree_centigrade",
    ),
    (
        Unit("degree Fahrenheit", "temperature", Fraction(5, 9), Fraction("459.67")),
        "f °f fahrenheit farenheit degree_f degree_fahrenheit degree_farenheit",
    ),
)
# One spelling, two meanings: the other side of the conversion decides.
AMBIGUOUS = {"ounce": "fluid_ounce", "oz": "fluid_ounce", "c": "cup"}


def _units() -> dict[str, Unit]:
    units: dict[str, Unit] = {}
    for dimension, lines in TABLE.items():
        for line in lines.strip().splitlines():
            name, factor, others = (part.strip() for part in line.split("|"))
            unit = Unit(name, dimension, Fraction(factor))
            for spelling in (name.replace(" ", "_").replace("-", "_"), *others.split()):
                units[spelling.lower()] = unit
    for unit, others in TEMPERATURES:
        units |= dict.fromkeys((unit.name.lower().replace(" ", "_"), *others.split()), unit)
    return units


UNITS = _units()


def find(spelling: str) -> Unit | None:
    """The unit of that name, abbreviation or plural."""
    spelling = spelling.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    spelling = spelling.replace("\N{RIGHT DOUBLE QUOTATION MARK}", '"')
    key = "_".join(spelling.strip().rstrip(".").lower().replace("-", " ").split())
    for candidate in (key, key.removesuffix("s"), _singular_first(key)):
        if candidate in UNITS:
            return UNITS[candidate]
    return None


def _singular_first(key: str) -> str:
    first, _, rest = key.partition("_")
    return f"{first.removesuffix('s')}_{rest}".replace("squared", "square")
