//! A grid of letters: text is wrapped, and what is an amount, a date or a number is not.

use crate::characters;
use crate::layout::{Line, Weight};

/// Where a text stands.
#[derive(Debug, Clone, Copy)]
pub enum Align {
    /// From the left.
    Left,
    /// In the middle.
    Centre,
}

/// Lines of a width.
pub struct Grid {
    columns: usize,
    /// From the top.
    pub lines: Vec<Line>,
}

fn width(text: &str) -> usize {
    text.chars().count()
}

impl Grid {
    /// Empty.
    pub const fn new(columns: usize) -> Self {
        Self {
            columns,
            lines: Vec::new(),
        }
    }

    fn push(&mut self, text: &str, weight: Weight) {
        let text = text.trim_end().to_owned();
        self.lines.push(Line::Text { text, weight });
    }

    /// Wraps at words. What is indented stays so.
    pub fn text(&mut self, text: &str, align: Align, weight: Weight) {
        let plain = characters::plain(text);
        let indent = plain
            .chars()
            .take_while(|character| *character == ' ')
            .count()
            .min(self.columns / 2);
        for line in wrapped(&plain, self.columns - indent) {
            let before = match align {
                Align::Left => indent,
                Align::Centre => (self.columns - width(&line)) / 2,
            };
            self.push(&format!("{:before$}{line}", ""), weight);
        }
    }

    /// The same from the left, as strong as all others.
    pub fn note(&mut self, text: &str) {
        self.text(text, Align::Left, Weight::Normal);
    }

    /// Something with its value, as strong as all others; beside each other, or beneath.
    pub fn field(&mut self, name: &str, value: &str) {
        let beside = width(&characters::plain(name)) + 1 + width(&characters::plain(value)) <= self.columns;
        if beside {
            self.pair(name, value, Weight::Normal);
        } else {
            self.note(name);
            self.pair("", value, Weight::Normal);
        }
    }

    /// Something on the left, and on the right of its last line what belongs to it and is not wrapped.
    pub fn pair(&mut self, left: &str, right: &str, weight: Weight) {
        let (left, right) = (characters::plain(left), characters::plain(right));
        let columns = self.columns;
        // A column between them. Where a word on the left does not fit, the right side gets a line of its own.
        let beside = columns.saturating_sub(width(&right) + 1);
        let longest = left.split(' ').map(width).max().unwrap_or_default();
        let mut lines = wrapped(&left, if longest <= beside { beside } else { columns });
        let last = if longest <= beside { lines.pop() } else { None };
        for line in lines.iter().filter(|line| !line.is_empty()) {
            self.push(line, weight);
        }
        let last = last.unwrap_or_default();
        let Some(gap) = columns.checked_sub(width(&last) + width(&right)) else {
            for part in wrapped(&right, columns) {
                self.push(&part, weight);
            }
            return;
        };
        self.push(&format!("{last}{:gap$}{right}", ""), weight);
    }

    /// Columns of amounts beneath their names; as pairs where they do not fit beside each other.
    pub fn table<const N: usize>(&mut self, head: &[&str; N], rows: &[[String; N]]) {
        let rows: Vec<Vec<String>> = rows
            .iter()
            .map(|row| row.iter().map(|cell| characters::plain(cell)).collect())
            .collect();
        let head: Vec<String> = head.iter().map(|cell| characters::plain(cell)).collect();
        let mut widths = vec![0; N];
        for row in rows.iter().chain([&head]) {
            for (most, cell) in widths.iter_mut().zip(row) {
                *most = width(cell).max(*most);
            }
        }
        let needed = widths.iter().sum::<usize>() + N - 1;
        let Some(spare) = self.columns.checked_sub(needed) else {
            for row in &rows {
                let mut cells = head.iter().zip(row);
                if let Some((name, cell)) = cells.next() {
                    self.text(&format!("{name} {cell}"), Align::Left, Weight::Normal);
                }
                for (name, cell) in cells {
                    self.pair(&format!("  {name}"), cell, Weight::Normal);
                }
            }
            return;
        };
        let between = 1 + spare / N.saturating_sub(1).max(1);
        let first = self.columns - widths.iter().skip(1).map(|most| most + between).sum::<usize>();
        for row in std::iter::once(&head).chain(&rows) {
            let mut line = String::new();
            for (place, (cell, most)) in row.iter().zip(&widths).enumerate() {
                let (cell_width, columns) = (width(cell), if place == 0 { first } else { most + between });
                let gap = columns.saturating_sub(cell_width);
                line = if place == 0 {
                    format!("{cell}{:gap$}", "")
                } else {
                    format!("{line}{:gap$}{cell}", "")
                };
            }
            self.push(&line, Weight::Normal);
        }
    }
}

/// A text in lines no wider than this, broken at spaces; a word that is wider itself is broken where the line ends. At least one line.
fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = vec![String::new()];
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let mut rest: Vec<char> = word.chars().collect();
        let taken = lines.last().map_or(0, |line| width(line));
        let begins = taken == 0;
        if !begins && taken + 1 + rest.len() <= columns {
            if let Some(line) = lines.last_mut() {
                line.push(' ');
                line.extend(rest);
            }
            continue;
        }
        if !begins {
            lines.push(String::new());
        }
        while rest.len() > columns {
            let after = rest.split_off(columns);
            if let Some(line) = lines.last_mut() {
                line.extend(rest);
            }
            lines.push(String::new());
            rest = after;
        }
        if let Some(line) = lines.last_mut() {
            line.extend(rest);
        }
    }
    lines
}
