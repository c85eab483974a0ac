//! Dates and times: milliseconds since 1970 to civil fields and back, and the strict text forms of CAST and literals.

use super::interval::Unit;

/// Milliseconds of a day.
pub const DAY: i64 = 86_400_000;

/// Days since 1970 of a civil date (proleptic Gregorian).
pub fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let doy = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468
}

/// Year, month, day of days since 1970.
pub fn civil_of(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let (era, doe) = (z.div_euclid(146_097), z.rem_euclid(146_097));
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i64::from(month <= 2), month, doy - (153 * mp + 2) / 5 + 1)
}

/// Days of a month.
pub fn month_length(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Adds months; the day is clamped to the month's last.
pub fn add_months(ms: i64, months: i64) -> i64 {
    let (year, month, day) = civil_of(ms.div_euclid(DAY));
    let total = (year * 12 + month - 1).saturating_add(months);
    let (year, month) = (total.div_euclid(12), total.rem_euclid(12) + 1);
    days_of(year, month, day.min(month_length(year, month))) * DAY + ms.rem_euclid(DAY)
}

/// Whole months from `b` to `a`, negative when `a` comes first.
pub fn months_between(a: i64, b: i64) -> i64 {
    let month = |ms: i64| {
        let (year, month, _) = civil_of(ms.div_euclid(DAY));
        year * 12 + month
    };
    let months = month(a) - month(b);
    let reached = add_months(b, months);
    if months > 0 && reached > a {
        months - 1
    } else if months < 0 && reached < a {
        months + 1
    } else {
        months
    }
}

/// A field of a timestamp; seconds in milliseconds.
pub fn field(ms: i64, unit: Unit) -> i64 {
    let (year, month, day) = civil_of(ms.div_euclid(DAY));
    let of_day = ms.rem_euclid(DAY);
    match unit {
        Unit::Year => year,
        Unit::Month => month,
        Unit::Day => day,
        Unit::Hour => of_day / 3_600_000,
        Unit::Minute => of_day / 60_000 % 60,
        Unit::Second => of_day % 60_000,
    }
}

/// Down to a whole unit.
pub fn floor_to(ms: i64, unit: Unit) -> i64 {
    match unit {
        Unit::Year => days_of(field(ms, Unit::Year), 1, 1) * DAY,
        Unit::Month => days_of(field(ms, Unit::Year), field(ms, Unit::Month), 1) * DAY,
        _ => ms.div_euclid(unit.size()) * unit.size(),
    }
}

/// Up to a whole unit; a whole one stays.
pub fn ceil_to(ms: i64, unit: Unit) -> i64 {
    let floor = floor_to(ms, unit);
    if floor == ms {
        return ms;
    }
    match unit {
        Unit::Year => add_months(floor, 12),
        Unit::Month => add_months(floor, 1),
        _ => floor + unit.size(),
    }
}

/// `yyyy-MM-dd`.
pub fn date_text(ms: i64) -> String {
    let (year, month, day) = civil_of(ms.div_euclid(DAY));
    format!("{year:04}-{month:02}-{day:02}")
}

/// `HH:mm:ss`, never with a fraction.
pub fn time_text(ms: i64) -> String {
    let s = ms.rem_euclid(DAY) / 1000;
    format!("{:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
}

/// `yyyy-MM-dd HH:mm:ss` with a fraction only when milliseconds are not zero.
pub fn timestamp_text(ms: i64) -> String {
    let millis = ms.rem_euclid(1000);
    let base = format!("{} {}", date_text(ms), time_text(ms));
    if millis == 0 { base } else { format!("{base}.{millis:03}") }
}

/// `yyyy-MM-dd HH:mm:ss.SSS`, as outputs write it.
pub fn timestamp_millis_text(ms: i64) -> String {
    format!("{} {}.{:03}", date_text(ms), time_text(ms), ms.rem_euclid(1000))
}

fn number(text: &str, digits: usize) -> Option<i64> {
    (text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

/// Exactly `yyyy-MM-dd`.
pub fn parse_date(text: &str) -> Option<i64> {
    if text.len() != 10 || !text.is_ascii() || &text[4..5] != "-" || &text[7..8] != "-" {
        return None;
    }
    let (year, month, day) = (number(&text[..4], 4)?, number(&text[5..7], 2)?, number(&text[8..], 2)?);
    ((1..=12).contains(&month) && day >= 1 && day <= month_length(year, month) && year >= 1).then(|| days_of(year, month, day) * DAY)
}

/// `HH:mm:ss` with an optional fraction, cut to milliseconds. `loose` allows an hour of one digit.
pub fn parse_time(text: &str, loose: bool) -> Option<i64> {
    let (clock, fraction) = text.split_once('.').map_or((text, None), |(clock, fraction)| (clock, Some(fraction)));
    let mut parts = clock.split(':');
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let hour = number(hour, 2).or_else(|| number(hour, 1).filter(|_| loose))?;
    let (minute, second) = (number(minute, 2)?, number(second, 2)?);
    let millis = match fraction {
        None => 0,
        Some(fraction) if (1..=9).contains(&fraction.len()) && fraction.bytes().all(|b| b.is_ascii_digit()) => {
            format!("{fraction:0<3}")[..3].parse().ok()?
        }
        Some(_) => return None,
    };
    (hour < 24 && minute < 60 && second < 60).then_some(((hour * 60 + minute) * 60 + second) * 1000 + millis)
}

/// `yyyy-MM-dd HH:mm:ss` with an optional fraction.
pub fn parse_timestamp(text: &str, loose: bool) -> Option<i64> {
    let (date, time) = text.split_once(' ')?;
    Some(parse_date(date)? + parse_time(time, loose)?)
}

/// The commonest form, `yyyy-MM-ddTHH:mm:ss` with T or a blank and an optional Z, without a look at any other.
fn parse_plain(text: &[u8]) -> Option<i64> {
    let text = text.strip_suffix(b"Z").unwrap_or(text);
    let text: &[u8; 19] = text.try_into().ok()?;
    let shape = text.iter().zip(b"0000-00-00T00:00:00").all(|(byte, form)| match form {
        b'0' => byte.is_ascii_digit(),
        b'T' => matches!(byte, b'T' | b' '),
        form => byte == form,
    });
    let two = |at: usize| i64::from(text[at] - b'0') * 10 + i64::from(text[at + 1] - b'0');
    if !shape {
        return None;
    }
    let (year, month, day) = (two(0) * 100 + two(2), two(5), two(8));
    let (hour, minute, second) = (two(11), two(14), two(17));
    let exists = year >= 1 && (1..=12).contains(&month) && day >= 1 && day <= month_length(year, month) && hour < 24 && minute < 60 && second < 60;
    exists.then(|| days_of(year, month, day) * DAY + ((hour * 60 + minute) * 60 + second) * 1000)
}

/// What inputs also send: ISO 8601 with T, any fraction, Z or an offset.
pub fn parse_iso(text: &str) -> Option<i64> {
    if let Some(ms) = parse_plain(text.as_bytes()) {
        return Some(ms);
    }
    let text = text.trim();
    if let Some(ms) = parse_timestamp(text, true) {
        return Some(ms);
    }
    if !text.is_ascii() || text.len() < 16 {
        return parse_date(text);
    }
    let date = parse_date(&text[..10])?;
    if !matches!(&text[10..11], "T" | "t" | " ") {
        return None;
    }
    let rest = &text[11..];
    let zone_at = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
    let (clock, zone) = (rest[..zone_at].trim_end(), &rest[zone_at..]);
    let clock = if clock.len() == 5 { format!("{clock}:00") } else { clock.to_owned() };
    let (whole, fraction) = clock.split_once('.').unwrap_or((&clock, ""));
    let fraction: String = fraction.chars().take(9).collect();
    let time = parse_time(&if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }, false)?;
    let offset = match zone {
        "" | "Z" | "z" => 0,
        zone => {
            let digits: String = zone[1..].chars().filter(|c| *c != ':').collect();
            let minutes = match digits.len() {
                2 => number(&digits, 2)? * 60,
                4 => number(&digits[..2], 2)? * 60 + number(&digits[2..], 2)?,
                _ => return None,
            };
            if zone.starts_with('-') { -minutes } else { minutes }
        }
    };
    Some(date + time - offset * 60_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn civil_dates_go_there_and_back() {
        for days in (-800_000..800_000).step_by(37) {
            let (y, m, d) = civil_of(days);
            assert_eq!(days_of(y, m, d), days);
        }
        assert_eq!(parse_iso("2018-06-13T14:11:05.766191"), parse_timestamp("2018-06-13 14:11:05.766", false));
        assert_eq!(parse_iso("2018-06-13T14:11:05+02:00"), parse_timestamp("2018-06-13 12:11:05", false));
        assert_eq!(parse_date("2009-02-29"), None);
    }
}
