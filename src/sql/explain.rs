//! A program in words: pumps, their operators, what makes each emit, and what it holds.

use std::fmt::Write as _;

use super::plan::{Operator, Plan};
use super::run::Flow;
use super::scope::written;

/// The pumps and operators, from the stream written to down to what is read. With flows: rows in, out and held.
pub fn explain(plan: &Plan, flows: Option<&[Flow]>) -> String {
    let mut out = String::new();
    for pump in &plan.pumps {
        let state = if pump.started { "" } else { " (STOPPED)" };
        let _ = writeln!(out, "pump {}{state} → {}", written(&pump.name), written(&plan.streams[pump.target].name));
        node(plan, pump.root, 1, flows, &mut out);
    }
    out
}

fn node(plan: &Plan, at: usize, depth: usize, flows: Option<&[Flow]>, out: &mut String) {
    let planned = &plan.nodes[at];
    let holds = match &planned.operator {
        Operator::Sliding(..) => "; holds the rows of its window",
        Operator::Group { .. } | Operator::Stagger { .. } => "; holds one row of sums per open group",
        Operator::Join(_) => "; holds the rows of both windows",
        Operator::Distinct { .. } => "; holds the distinct rows of the present moment",
        Operator::Sort { .. } => "; holds the rows of one value of the leading term",
        Operator::TimeSort(_) => "; holds the rows of the slack",
        Operator::Union => "; holds the rows of the side that is ahead",
        Operator::Table(_) | Operator::Scan(_) | Operator::Finite(_) | Operator::Filter(_) | Operator::Project(..) | Operator::Lookup { .. } => "",
    };
    let counts = flows.and_then(|flows| flows.get(at)).map_or_else(String::new, |flow| {
        let held = if flow.held > 0 { format!(", {} held", flow.held) } else { String::new() };
        format!("  [{} in, {} out{held}]", flow.rows_in, flow.rows_out)
    });
    let _ = writeln!(out, "{}{}{holds}{counts}", "  ".repeat(depth), planned.label);
    for input in &planned.inputs {
        node(plan, *input, depth + 1, flows, out);
    }
}

/// Why a stream has no rows: the first operator of its pumps that lets nothing through.
pub fn why_no_rows(plan: &Plan, flows: &[Flow], stream: usize, errors: u64) -> String {
    let name = written(&plan.streams[stream].name);
    let mut pumps = plan.pumps.iter().filter(|pump| pump.target == stream);
    let Some(pump) = pumps.next() else { return format!("{name}: no pump writes to it") };
    if !pump.started {
        return format!("{name}: the pump {} is STOPPED", written(&pump.name));
    }
    // From the source up: the first that takes rows in and gives none.
    let mut path = vec![pump.root];
    while let Some(input) = path.last().and_then(|at| plan.nodes[*at].inputs.first()) {
        path.push(*input);
    }
    for at in path.iter().rev() {
        let (planned, flow) = (&plan.nodes[*at], flows[*at]);
        if matches!(planned.operator, Operator::Scan(_)) && flow.rows_in == 0 {
            return format!("{name}: 0 {}", planned.label);
        }
        if flow.rows_in > 0 && flow.rows_out == 0 {
            return match &planned.operator {
                Operator::Filter(_) => format!("{name}: 0 of {} rows pass {}", flow.rows_in, planned.label),
                Operator::Group { .. } | Operator::Stagger { .. } => {
                    format!("{name}: the window is still open: {} rows came in, {} groups wait for its end", flow.rows_in, flow.held)
                }
                Operator::Project(..) if errors > 0 => format!("{name}: all {} rows failed; the first reason is in error_stream", flow.rows_in),
                Operator::Join(_) | Operator::Lookup { .. } => format!("{name}: {} rows came in and none found a partner", flow.rows_in),
                _ => format!("{name}: {} rows wait in: {}", flow.held, planned.label),
            };
        }
    }
    if errors > 0 { format!("{name}: {errors} rows became error rows") } else { format!("{name}: no row has come yet") }
}
