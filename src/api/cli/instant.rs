//! Instants as the CLI reads and prints them.

use super::super::Timestamp;

/// Reads seconds since 1970, with or without decimals, or ISO 8601: a date alone, or with hours and minutes, seconds and a fraction, and
/// `Z`, `+hh:mm`, `+hhmm` or `+hh`; without a zone it is UTC. Fractions finer than a millisecond are cut.
pub(super) fn read(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E'))
        && let Ok(seconds) = text.parse::<f64>()
    {
        return Timestamp::from_secs_f64(seconds);
    }
    let (date, rest) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let days = days_of(date)?;
    let millis = rest.map_or(Some(0), millis_of_clock)?;
    days.checked_mul(86_400_000)?.checked_add(millis).map(Timestamp)
}

/// Days since 1970 of `2019-09-08` or `20190908`.
fn days_of(date: &str) -> Option<i64> {
    let plain: String =
        if date.len() == 10 && date.as_bytes()[4] == b'-' && date.as_bytes()[7] == b'-' { date.replace('-', "") } else { date.to_owned() };
    if plain.len() != 8 || !plain.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (year, month, day) = (plain[..4].parse::<i64>().ok()?, plain[4..6].parse::<i64>().ok()?, plain[6..].parse::<i64>().ok()?);
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        _ => return None,
    };
    if day < 1 || day > length {
        return None;
    }
    // Civil date to days after Howard Hinnant.
    let y = year - i64::from(month <= 2);
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// Milliseconds since midnight UTC of `22:03`, `22:03:48`, `22:03:48.123`, each with a zone or none.
fn millis_of_clock(text: &str) -> Option<i64> {
    let zone_at = text.find(['Z', 'z', '+', '-']).unwrap_or(text.len());
    let (clock, zone) = text.split_at(zone_at);
    let (clock, fraction) = clock.trim_end().split_once(['.', ',']).unwrap_or((clock.trim_end(), "0"));
    let two = |part: &str, below: i64| {
        (part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse::<i64>().ok()).flatten().filter(|n| (0..below).contains(n))
    };
    let mut parts = clock.split(':');
    let (hour, minute) = (two(parts.next()?, 24)?, two(parts.next()?, 60)?);
    let second = parts.next().map_or(Some(0), |part| two(part, 60))?;
    if parts.next().is_some() || fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let millis: i64 = format!("{fraction:0<3}")[..3].parse().ok()?;
    let offset = match zone {
        "" | "Z" | "z" => 0,
        zone => {
            let digits = zone[1..].replace(':', "");
            if !digits.bytes().all(|b| b.is_ascii_digit()) || !matches!(digits.len(), 2 | 4) {
                return None;
            }
            let minutes = two(&digits[..2], 24)? * 60 + if digits.len() == 4 { two(&digits[2..], 60)? } else { 0 };
            if zone.starts_with('-') { -minutes } else { minutes }
        }
    };
    Some(((hour * 60 + minute - offset) * 60 + second) * 1000 + millis)
}

/// `2019-01-01T00:00:05.123000+00:00`, without the fraction when it is zero.
pub(super) fn iso(instant: Timestamp) -> String {
    let days = instant.0.div_euclid(86_400_000);
    let millis = instant.0.rem_euclid(86_400_000);
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let mp = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second, fraction) = (millis / 3_600_000, millis / 60_000 % 60, millis / 1000 % 60, millis % 1000);
    let fraction = if fraction == 0 { String::new() } else { format!(".{fraction:03}000") };
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}+00:00")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn forms() {
        for (text, millis) in [
            ("2019-01-01", 1_546_300_800_000),
            ("20190101", 20_190_101_000),
            ("1546300805", 1_546_300_805_000),
            ("1546300805.123", 1_546_300_805_123),
            ("2019-01-01T00:00:05Z", 1_546_300_805_000),
            ("2019-01-01 01:02", 1_546_304_520_000),
            ("2019-01-01T01:02:03.456+02:00", 1_546_297_323_456),
            ("2019-01-01T01:02:03.4567899-0130", 1_546_309_923_456),
            ("1969-12-31T23:59:59.5Z", -500),
            ("2020-02-29T00:00Z", 1_582_934_400_000),
        ] {
            assert_eq!(read(text), Some(Timestamp(millis)), "{text}");
        }
        for bad in
            ["", "garbage", "2019-02-29", "2019-13-01", "2019-01-01T25:00", "2019-01-01T1:00", "2019-01-01T01:00+1", "-", "2019-01-01T", "1e400"]
        {
            assert_eq!(read(bad), None, "{bad}");
        }
        assert_eq!(iso(Timestamp(1_546_300_805_123)), "2019-01-01T00:00:05.123000+00:00");
        assert_eq!(iso(Timestamp(1_546_300_806_000)), "2019-01-01T00:00:06+00:00");
    }

    proptest! {
        #[test]
        fn printed_instants_are_read(millis in 0i64..253_402_300_799_999) {
            prop_assert_eq!(read(&iso(Timestamp(millis))), Some(Timestamp(millis)));
        }

        #[test]
        fn reading_is_total(text in "[0-9TZ:+. é-]{0,24}") {
            let _ = read(&text);
        }
    }
}
