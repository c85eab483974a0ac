//! What the programs print: the lines of the replay tool of the original Lab1.

use crate::engine::time::{VirtualDuration, VirtualTime};

use super::settings::{ProducerKind, Settings};

/// Lines at the start.
pub fn start_lines(settings: &Settings) -> Vec<String> {
    match settings.kind {
        ProducerKind::Replay => {
            let speedup = settings.speedup_permille.unwrap_or(1000);
            let speedup =
                if speedup.is_multiple_of(1000) { (speedup / 1000).to_string() } else { format!("{}.{:03}", speedup / 1000, speedup % 1000) };
            vec![format!(
                "starting to populate stream {} in region {} with a speedup factor of {speedup}{}",
                settings.target,
                settings.region,
                if settings.aggregate { ", records are aggregated" } else { "" }
            )]
        }
        _ => vec![format!("{} producer writes to {}", settings.kind.name(), settings.target)],
    }
}

/// The report: how far the replay is, how fast, how late.
pub fn report_line(oldest: Option<VirtualTime>, per_second: u64, lag: VirtualDuration) -> String {
    match oldest {
        Some(event) => format!(
            "all events with dropoff time until {} have been sent ({per_second} events/sec, PT{}S replay lag)",
            whole_seconds(event),
            lag.as_secs()
        ),
        None => format!("{per_second} events/sec sent"),
    }
}

/// ISO 8601 without a fraction, as the tool prints it.
fn whole_seconds(at: VirtualTime) -> String {
    let text = at.to_string();
    format!("{}Z", &text[..19])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_reads_like_the_original() {
        let event = crate::engine::time::parse_iso("2010-01-02T20:06:00.750Z").expect("a time");
        assert_eq!(
            report_line(Some(event), 5443, VirtualDuration::from_millis(16_900)),
            "all events with dropoff time until 2010-01-02T20:06:00Z have been sent (5443 events/sec, PT16S replay lag)"
        );
    }
}
