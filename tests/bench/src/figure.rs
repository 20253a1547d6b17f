//! A figure as it is told: name, unit, smallest, middle and largest of several runs, and the load of the machine.

/// How rows are run and told.
pub struct Shape {
    pub json: bool,
    pub seconds: u64,
    pub runs: usize,
}

/// Tells a row. `more` are further columns of the same row.
pub fn tell(shape: &Shape, name: &str, unit: &str, mut values: Vec<u64>, more: &[(&str, u64)]) {
    values.sort_unstable();
    let at = |index: usize| values.get(index).copied().unwrap_or_default();
    let (min, median, max) = (at(0), at(values.len() / 2), at(values.len().saturating_sub(1)));
    let load = load_average();
    if shape.json {
        let mut row = serde_json::json!({
            "name": name, "unit": unit, "min": min, "median": median, "max": max, "load_average": load,
        });
        for (name, value) in more {
            row[*name] = (*value).into();
        }
        println!("{row}");
    } else {
        let more: Vec<String> = more.iter().map(|(name, value)| format!("{name} {value}")).collect();
        println!(
            "{name:<44} {min:>9} {median:>9} {max:>9} {unit:<12} {}  (load {load})",
            more.join(", ")
        );
    }
}

/// The load average of the last minute, as the system writes it.
fn load_average() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}
