//! Programs to begin with: the classes of queries that streaming SQL is used for, written for the columns of the application at hand.

use crate::session::code::CodeReport;

/// A template.
#[derive(Debug, Clone, Copy)]
pub struct Template {
    /// What it is called.
    pub title: &'static str,
    body: &'static str,
}

/// All templates.
pub static TEMPLATES: &[Template] = &[
    Template { title: "Tumbling window", body: include_str!("../../assets/sql-templates/tumbling.sql") },
    Template { title: "Sliding window", body: include_str!("../../assets/sql-templates/sliding.sql") },
    Template { title: "Stagger window", body: include_str!("../../assets/sql-templates/stagger.sql") },
    Template { title: "Continuous filter", body: include_str!("../../assets/sql-templates/filter.sql") },
    Template { title: "Top K", body: include_str!("../../assets/sql-templates/top-k.sql") },
    Template { title: "Anomaly scores", body: include_str!("../../assets/sql-templates/anomaly.sql") },
    Template { title: "Two steps", body: include_str!("../../assets/sql-templates/two-steps.sql") },
];

impl Template {
    /// Its text with the names of the application's source and of two of its columns.
    pub fn text(&self, report: &CodeReport) -> String {
        let source = report.source.clone().unwrap_or_else(|| "SOURCE_SQL_STREAM_001".to_owned());
        let (text, number) = report.sample.clone();
        let text = text.unwrap_or_else(|| "\"a_text_column\"".to_owned());
        let number = number.unwrap_or_else(|| "\"a_number_column\"".to_owned());
        self.body
            .replace("{source}", &format!("\"{source}\""))
            .replace("{text-name}", &text.trim_matches('"').replace('\'', "''"))
            .replace("{text}", &text)
            .replace("{number}", &number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::program::SourceStream;
    use crate::sql::types::SqlType;
    use crate::sql::{Catalog, Program};

    #[test]
    fn every_template_compiles() {
        let columns = vec![("vendor".to_owned(), SqlType::Varchar(8), false), ("fare".to_owned(), SqlType::Double, false)];
        let catalog = Catalog { sources: vec![SourceStream { name: "SOURCE_SQL_STREAM_001".to_owned(), columns }], tables: Vec::new() };
        let report = CodeReport { sample: (Some("\"vendor\"".to_owned()), Some("\"fare\"".to_owned())), ..CodeReport::default() };
        for template in TEMPLATES {
            let text = template.text(&report);
            if let Err(findings) = Program::compile(&text, &catalog) {
                panic!("{}: {}", template.title, findings.iter().map(|finding| finding.render("code", &text)).collect::<String>());
            }
        }
    }
}
