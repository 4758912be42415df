"""Who has the turn around every change of clocks, by another reading of the rules than the product's.

Reads shapes of rotations from the file that is named first, as JSON; time zones from the folder that PYTHONTZPATH names, as the
product has them. Hand-offs are found by walking from the first one after another, and instants by `zoneinfo`. It writes a line for
each question: zone, number of the shape, seconds since 1970, and who has the turn then (its number among the people, or `-`).
"""

import bisect
import datetime as dt
import json
import sys
from zoneinfo import ZoneInfo

UTC = dt.timezone.utc
FIRST, LAST = dt.datetime(2024, 1, 1), dt.datetime(2038, 1, 1)
WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


def seconds(instant):
    return int(instant.timestamp())


def shown(zone, at):
    """What the wall clock shows at an instant, given in seconds."""
    return dt.datetime.fromtimestamp(at, UTC).astimezone(zone).replace(tzinfo=None)


def instant_of(zone, civil):
    """The first instant that shows a civil time; the end of the gap where clocks skip it."""
    at = seconds(civil.replace(tzinfo=zone, fold=0))
    if shown(zone, at) == civil:
        return at
    low, high = seconds(civil.replace(tzinfo=zone, fold=1)), at
    while low < high:
        middle = (low + high) // 2
        if shown(zone, middle) >= civil:
            high = middle
        else:
            low = middle + 1
    return low


def transitions(zone):
    """Instants at which the offset changes, found by looking day by day and then halving."""
    out, day = [], dt.timedelta(days=1)
    offset = lambda at: dt.datetime.fromtimestamp(at, UTC).astimezone(zone).utcoffset()
    at, end = seconds(FIRST.replace(tzinfo=UTC)), seconds(LAST.replace(tzinfo=UTC))
    while at < end:
        if offset(at) != offset(at + 86400):
            low, high, before = at, at + 86400, offset(at)
            while low + 1 < high:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle) == before else (low, middle)
            out.append(high)
        at += 86400
    return out


def walk(shape):
    """Every hand-off on the wall clock until the last year, one after another."""
    words = shape["handoff"].split(" ")
    hour, minute = map(int, words[-1].split(":"))
    time = dt.time(hour, minute)
    date = dt.date.fromisoformat(shape["starts"])
    count, unit = shape["count"], shape["unit"]
    out = []
    if unit == "hours":
        while len(words) == 2 and WEEKDAYS[date.weekday()] != words[0]:
            date += dt.timedelta(days=1)
        civil = dt.datetime.combine(date, time)
        while civil < LAST:
            out.append(civil)
            civil += dt.timedelta(hours=count)
    elif unit == "months":
        wanted = int(words[0])
        met = 0
        while dt.datetime.combine(date, time) < LAST:
            tomorrow = date + dt.timedelta(days=1)
            last = tomorrow.month != date.month
            if date.day == wanted or (last and date.day < wanted):
                if met % count == 0:
                    out.append(dt.datetime.combine(date, time))
                met += 1
            date = tomorrow
    elif unit == "open days":
        met, closed = 0, set(shape["closed"])
        while dt.datetime.combine(date, time) < LAST:
            if WEEKDAYS[date.weekday()] in shape["open"] and date.isoformat() not in closed:
                if met % count == 0:
                    out.append(dt.datetime.combine(date, time))
                met += 1
            date += dt.timedelta(days=1)
    return out


def main():
    shapes = json.load(open(sys.argv[1]))
    zones = [line.strip() for line in open(sys.argv[2])]
    walked = [walk(shape) for shape in shapes]
    write = sys.stdout.write
    for name in zones:
        zone = ZoneInfo(name)
        # A zone that changes nothing is asked of as well.
        changes = transitions(zone) or [seconds(dt.datetime(2030, 7, 1, tzinfo=UTC))]
        for number, (shape, hand_offs) in enumerate(zip(shapes, walked)):
            around = dt.timedelta(hours=shape["around"])
            elapsed, asked = shape.get("elapsed", False), set()
            begins = {}
            if elapsed:
                first, step = instant_of(zone, hand_offs[0]), shape["count"] * 3600
            for change in changes:
                local = shown(zone, change)
                if elapsed:
                    low = max(0, (change - shape["around"] * 3600 - first) // step)
                    high = (change + shape["around"] * 3600 - first) // step
                    for turn in range(low, high + 1):
                        begins[turn] = first + turn * step
                else:
                    low = bisect.bisect_left(hand_offs, local - around)
                    high = bisect.bisect_right(hand_offs, local + around)
                    for turn in range(low, high):
                        begins[turn] = instant_of(zone, hand_offs[turn])
            for turn, at in begins.items():
                # Just before a hand-off the one before it has the turn, or an earlier one where that had no time.
                for probe in (at, at - 1):
                    if probe in asked:
                        continue
                    asked.add(probe)
                    has = turn if probe == at else turn - 1
                    while has >= 0 and (begins.get(has) or instant_of_turn(zone, hand_offs, has, elapsed, first if elapsed else 0, shape)) > probe:
                        has -= 1
                    while True:
                        after = instant_of_turn(zone, hand_offs, has + 1, elapsed, first if elapsed else 0, shape)
                        if after is None or after > probe:
                            break
                        has += 1
                    write(f"{name}\t{number}\t{probe}\t{has % shape['people'] if has >= 0 else '-'}\n")


def instant_of_turn(zone, hand_offs, turn, elapsed, first, shape):
    if elapsed:
        return first + turn * shape["count"] * 3600
    return instant_of(zone, hand_offs[turn]) if 0 <= turn < len(hand_offs) else None


main()
