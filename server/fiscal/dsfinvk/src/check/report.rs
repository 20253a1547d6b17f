//! What a check found: which rule was broken, where, how, and why that matters.

use std::collections::BTreeMap;

use serde::Serialize;
use wording::{Both, in_english};

use super::rule::Rule;

/// Findings of one rule that are told in full; a broken export can have millions.
const TOLD_MAX: usize = 20;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The export contradicts the standard or itself.
    Error,
    /// It looks odd, and an auditor will ask.
    Warning,
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule's code.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The file.
    pub file: String,
    /// The line in it, from 1; none where it is about the file, or about something that is missing.
    pub line: Option<u64>,
    /// What is there and what should be; for programs in English.
    #[serde(serialize_with = "in_english")]
    pub what: Both,
    /// Why that matters; for programs in English.
    #[serde(serialize_with = "in_english")]
    pub why: Both<&'static str>,
}

/// What a check found, and how much it saw.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Closings.
    pub closings: u64,
    /// Receipts.
    pub receipts: u64,
    /// Rows of all tables.
    pub rows: u64,
    /// Errors, those that are not told included.
    pub errors: u64,
    /// Warnings, those that are not told included.
    pub warnings: u64,
    /// How often each rule was broken, by code.
    pub counts: BTreeMap<&'static str, u64>,
    /// The first of each rule.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether there is no error.
    pub const fn holds(&self) -> bool {
        self.errors == 0
    }

    pub(super) fn find(&mut self, rule: Rule, file: &str, line: Option<u64>, what: impl FnOnce() -> Both) {
        match rule.severity() {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
        }
        let count = self.counts.entry(rule.code()).or_default();
        *count += 1;
        if *count > TOLD_MAX as u64 {
            return;
        }
        self.findings.push(Finding {
            code: rule.code(),
            severity: rule.severity(),
            file: file.to_owned(),
            line,
            what: what(),
            why: rule.why(),
        });
    }
}
