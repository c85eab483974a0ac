//! What screens see of a producer.

use crate::engine::view::{AccountingLine, ProducerView};

use super::Producer;

/// Log lines that a view carries.
const LOG_LINES: usize = 20;

impl Producer {
    /// Records offered, records acknowledged and attempts refused in the last whole second.
    pub fn last_second(&self) -> (u64, u64, u64) {
        (self.last_second.offered, self.last_second.acknowledged, self.last_second.refused)
    }

    /// The producer for display.
    pub fn view(&self) -> ProducerView {
        let mut log: Vec<_> = self.log().rev().take(LOG_LINES).cloned().collect();
        log.reverse();
        let settings = &self.settings;
        let mut words = Vec::new();
        if let Some(speedup) = settings.speedup_permille {
            words.push(format!("speedup {}", speedup / 1000));
        }
        words.push(if settings.aggregate {
            "aggregated".to_owned()
        } else if settings.single {
            "PutRecord".to_owned()
        } else {
            format!("PutRecords {}", settings.batch)
        });
        if let Some(hot) = &self.hot_key {
            words.push(format!("key {} for {} ‰", hot.key, hot.share_permille));
        }
        ProducerView {
            name: self.name.to_string(),
            kind: settings.kind.name().to_owned(),
            state: self.state.name().to_owned(),
            target: settings.target.clone(),
            settings: words.join(", "),
            offered_per_second: self.last_second.offered,
            acknowledged_per_second: self.last_second.acknowledged,
            refused_per_second: self.last_second.refused,
            acknowledged: self.total.acknowledged,
            lost: self.total.lost,
            outstanding: self.outstanding(),
            lag_ms: self.lag().as_millis(),
            log,
        }
    }

    /// Where its records are.
    pub fn accounting(&self) -> AccountingLine {
        AccountingLine {
            subject: format!("producer {}", self.name),
            parts: vec![
                ("offered".to_owned(), self.total.offered),
                ("acknowledged".to_owned(), self.total.acknowledged),
                ("lost".to_owned(), self.total.lost),
                ("outstanding".to_owned(), self.outstanding()),
            ],
            balanced: self.is_balanced(),
        }
    }
}
