"""Makes `zones.txt`: the time zones that a delivery stream's CustomTimeZone may name, from the compiled IANA database of a machine.

    python3 assets/zones/generate.py 2025b > assets/zones/zones.txt

One line for each set of rules: the POSIX rule that holds at the end, the changes since 2015 that the rule does not tell (seconds since 1970,
offset in seconds, abbreviation; the first is what held before), and the names, all three parted by `|`.
"""
import io
import re
import struct
import sys
import zoneinfo
from datetime import datetime, timezone
from pathlib import Path

SINCE = int(datetime(2015, 1, 1, tzinfo=timezone.utc).timestamp())
UNTIL = int(datetime(2037, 1, 1, tzinfo=timezone.utc).timestamp())


def compiled(name):
    for folder in zoneinfo.TZPATH:
        path = Path(folder) / name
        if path.exists():
            return path.read_bytes()
    raise SystemExit(f"no compiled zone {name}")


def parse(data):
    def header(at):
        magic, _, isutc, isstd, leap, times, types, chars = struct.unpack_from(">4sc15x6I", data, at)
        assert magic == b"TZif"
        return isutc, isstd, leap, times, types, chars

    isutc, isstd, leap, times, types, chars = header(0)
    at = 44 + times * 5 + types * 6 + chars + leap * 8 + isstd + isutc
    isutc, isstd, leap, times, types, chars = header(at)
    at += 44
    instants = struct.unpack_from(f">{times}q", data, at)
    indices = data[at + times * 8 : at + times * 9]
    at += times * 9
    kinds = [struct.unpack_from(">iBB", data, at + 6 * n) for n in range(types)]
    at += types * 6
    letters = data[at : at + chars]
    at += chars + leap * 12 + isstd + isutc
    footer = data[at:].strip(b"\n").decode()
    word = lambda n: letters[n : letters.index(b"\0", n)].decode()
    changes = [(t, kinds[i][0], word(kinds[i][2])) for t, i in zip(instants, indices)]
    first = (0, kinds[0][0], word(kinds[0][2]))
    return first, changes, footer


def line(name):
    first, changes, footer = parse(compiled(name))
    before = [change for change in changes if change[0] <= SINCE]
    held = (SINCE, *(before[-1] if before else first)[1:])
    later = [change for change in changes if SINCE < change[0] < UNTIL]
    rule = zoneinfo.ZoneInfo.from_file(io.BytesIO(only_footer(footer)))
    # The rule holds from the first change on after which it tells what the zone tells.
    spans = [held, *later]
    instants = [t + shift for t, *_ in spans for shift in (-1, 0)] + list(range(SINCE, UNTIL, 86_400))
    wrong = [t for t in sorted(set(instants)) if t >= SINCE and told(rule, t) != max(s for s in spans if s[0] <= t)[1:]]
    if not wrong:
        return f"{footer}|"
    ends = [n for n, (t, *_) in enumerate(spans) if t > wrong[-1]]
    kept = spans[: ends[0] + 1] if ends else spans
    return footer + "|" + " ".join(f"{t},{offset},{word}" for t, offset, word in kept)


def told(rule, instant):
    at = datetime.fromtimestamp(instant, timezone.utc).astimezone(rule)
    return (int(at.utcoffset().total_seconds()), at.tzname())


def only_footer(footer):
    head = b"TZif2" + b"\0" * 15
    empty = head + struct.pack(">6I", 0, 0, 0, 0, 1, 4) + struct.pack(">iBB", 0, 0, 0) + b"LMT\0"
    return empty + empty + b"\n" + footer.encode() + b"\n"


lines = {}
for zone in sorted(zoneinfo.available_timezones()):
    if re.fullmatch(r"[a-zA-Z/_]+", zone) and zone not in ("Factory", "localtime"):
        lines.setdefault(line(zone), []).append(zone)
print(f"# Made by generate.py from the IANA time zone database {sys.argv[1]} (public domain).")
for rules, names in sorted(lines.items(), key=lambda item: item[1]):
    print(f"{rules}|{' '.join(names)}")
