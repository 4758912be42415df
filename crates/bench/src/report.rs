//! The table and the JSON: what was measured, what was asked, and whether it was reached.

use serde_json::json;

/// Whether a figure reached what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It did.
    Reached,
    /// It did not.
    Missed,
    /// Nothing was asked: a figure to compare with.
    Plain,
    /// It could not be measured.
    Unmeasured,
}

impl Verdict {
    /// Reached where `ok`.
    pub const fn of(ok: bool) -> Self {
        if ok { Self::Reached } else { Self::Missed }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Reached => "reached",
            Self::Missed => "MISSED",
            Self::Plain => "—",
            Self::Unmeasured => "NOT MEASURED",
        }
    }
}

/// One line of the table.
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// What was done.
    pub scenario: String,
    /// The measured value, in the unit of the target.
    pub value: Option<f64>,
    /// What the value is counted in.
    pub unit: &'static str,
    /// Anything else worth reading: latency, processor, memory, refusals.
    pub notes: String,
    /// What was asked.
    pub target: String,
    /// What the bare counterpart reached in the same run.
    pub ceiling: Option<f64>,
    /// What Alertmanager reached in the same run.
    pub alertmanager: Option<f64>,
    /// Whether what was asked was reached; `None` where nothing was asked.
    pub verdict: Option<Verdict>,
}

impl Row {
    fn verdict(&self) -> Verdict {
        self.verdict.unwrap_or(Verdict::Plain)
    }

    fn ratio(&self) -> Option<f64> {
        Some(self.value? / self.ceiling.or(self.alertmanager)?)
    }
}

/// Every line, and what it was measured on.
#[derive(Debug, Default)]
pub struct Report {
    /// One line about the machine.
    pub machine: String,
    /// In the order in which they were measured.
    pub rows: Vec<Row>,
}

impl Report {
    /// Adds a line and says it at once, so that a long run shows its progress.
    pub fn add(&mut self, row: Row) {
        eprintln!("  {}: {} {} ({}) {}", row.scenario, figure(row.value), row.unit, row.notes, row.verdict().word());
        self.rows.push(row);
    }

    /// Adds a line for what could not be measured, with the reason.
    pub fn unmeasured(&mut self, scenario: &str, error: &anyhow::Error) {
        self.add(Row {
            scenario: scenario.to_owned(),
            notes: format!("{error:#}").replace(['\n', '|'], " "),
            verdict: Some(Verdict::Unmeasured),
            ..Row::default()
        });
    }

    /// Whether nothing was missed or left unmeasured.
    pub fn all_reached(&self) -> bool {
        self.rows.iter().all(|row| matches!(row.verdict(), Verdict::Reached | Verdict::Plain))
    }

    /// The table, in Markdown.
    pub fn markdown(&self) -> String {
        let mut text = format!("{}\n\n", self.machine);
        text.push_str(
            "| scenario | figure | target | ceiling | ratio | Alertmanager | verdict | notes |\n\
             |---|--:|---|--:|--:|--:|---|---|\n",
        );
        for row in &self.rows {
            let ratio = row.ratio().map_or_else(|| "—".to_owned(), |ratio| format!("{ratio:.2}"));
            text.push_str(&format!(
                "| {} | {} {} | {} | {} | {} | {} | {} | {} |\n",
                row.scenario,
                figure(row.value),
                row.unit,
                if row.target.is_empty() { "—" } else { &row.target },
                figure(row.ceiling),
                ratio,
                figure(row.alertmanager),
                row.verdict().word(),
                row.notes,
            ));
        }
        text
    }

    /// The same as JSON.
    pub fn json(&self) -> serde_json::Value {
        let rows: Vec<_> = self
            .rows
            .iter()
            .map(|row| {
                json!({
                    "scenario": row.scenario, "value": row.value, "unit": row.unit,
                    "target": row.target, "ceiling": row.ceiling, "ratio": row.ratio(),
                    "alertmanager": row.alertmanager, "verdict": row.verdict().word(),
                    "notes": row.notes,
                })
            })
            .collect();
        json!({ "machine": self.machine, "rows": rows })
    }
}

fn figure(value: Option<f64>) -> String {
    match value {
        None => "—".to_owned(),
        Some(value) if value >= 100.0 => format!("{value:.0}"),
        Some(value) if value >= 10.0 => format!("{value:.1}"),
        Some(value) => format!("{value:.2}"),
    }
}
