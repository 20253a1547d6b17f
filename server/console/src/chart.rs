//! Charts as SVG, made here: no script, no font of their own, readable without colours and without eyes. Positions are whole units of the drawing,
//! values stay what they are.
//!
//! Every chart has a title, a sentence made from its data, and the same numbers as a table.

use maud::{Markup, html};
use pages::Language;
use pages::format::cents;

/// Series with a colour of their own; what is more becomes "Rest".
const SERIES_MAX: usize = 6;

const WIDTH: i128 = 720;
const HEIGHT: i128 = 260;
const LEFT: i128 = 96;
const RIGHT: i128 = 12;
const TOP: i128 = 14;
const BOTTOM: i128 = 30;

/// Labels that fit beside each other under the axis.
const LABELS_MAX: usize = 12;

/// Numbers of one thing, one for each bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Series {
    pub name: String,
    /// In cents.
    pub values: Vec<i128>,
}

/// What a chart shows.
pub(crate) struct Chart<'a> {
    /// Unique on the page.
    pub id: &'a str,
    pub title: &'a str,
    /// What the buckets are, as the table's first column says it.
    pub axis: &'a str,
    /// Names of the buckets, from the cut-off of the event day on.
    pub buckets: &'a [String],
    pub series: &'a [Series],
    /// Why the last bucket is not complete yet; none when it is.
    pub incomplete: Option<&'a str>,
    pub words: Language,
}

/// The largest first; beyond six the rest in one.
pub(crate) fn largest(mut series: Vec<Series>, rest: &str) -> Vec<Series> {
    series.sort_by(|a, b| total(b).cmp(&total(a)).then_with(|| a.name.cmp(&b.name)));
    if series.len() <= SERIES_MAX {
        return series;
    }
    let others = series.split_off(SERIES_MAX);
    let buckets = others.iter().map(|one| one.values.len()).max().unwrap_or(0);
    let values = (0..buckets).map(|at| others.iter().filter_map(|one| one.values.get(at)).sum());
    series.push(Series {
        name: rest.to_owned(),
        values: values.collect(),
    });
    series
}

fn total(series: &Series) -> i128 {
    series.values.iter().sum()
}

/// A round number at or above the largest value, and the step of its grid.
fn scale(largest: i128) -> (i128, i128) {
    let wanted = (largest / 4).max(1);
    let mut power = 1;
    while power * 10 <= wanted {
        power *= 10;
    }
    let step = [1, 2, 5, 10]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= wanted)
        .unwrap_or(wanted)
        .max(100);
    let top = (largest.max(1) + step - 1) / step * step;
    (top, step)
}

/// Where a value is drawn.
fn height_of(value: i128, top: i128) -> i128 {
    let room = HEIGHT - TOP - BOTTOM;
    HEIGHT - BOTTOM - value.clamp(0, top) * room / top
}

fn index(at: usize) -> i128 {
    i128::try_from(at).unwrap_or(i128::MAX)
}

/// Euros without cents, for the axis.
fn short(value: i128, words: Language) -> String {
    let text = cents(value, words);
    match words {
        Language::De => text.replacen(",00", "", 1),
        Language::En => text.strip_suffix(".00").map_or(text.clone(), str::to_owned),
    }
}

impl Chart<'_> {
    fn frame(&self, top: i128, step: i128, inside: &Markup) -> Markup {
        let steps = usize::try_from(top / step).unwrap_or(0);
        let view = format!("0 0 {WIDTH} {HEIGHT}");
        let (title, desc) = (format!("{}-title", self.id), format!("{}-desc", self.id));
        let named = format!("{title} {desc}");
        let width = self.bucket_width();
        let every = self.buckets.len().div_ceil(LABELS_MAX).max(1);
        html! {
            svg viewBox=(view) role="img" aria-labelledby=(named) class="chart" {
                title id=(title) { (self.title) }
                desc id=(desc) { (self.sentence()) }
                (self.patterns())
                @for line in 0..=steps {
                    @let value = index(line) * step;
                    @let y = height_of(value, top);
                    line class="grid" x1=(LEFT) x2=(WIDTH - RIGHT) y1=(y) y2=(y) {}
                    text class="tick" x=(LEFT - 8) y=(y + 4) text-anchor="end" { (short(value, self.words)) }
                }
                @for (place, (at, name)) in self.buckets.iter().enumerate().step_by(every).enumerate() {
                    text class=(if place % 2 == 0 { "tick" } else { "tick alt" }) x=(LEFT + index(at) * width + width / 2) y=(HEIGHT - BOTTOM + 18) text-anchor="middle" { (name) }
                }
                (inside)
            }
        }
    }

    fn bucket_width(&self) -> i128 {
        (WIDTH - LEFT - RIGHT) / index(self.buckets.len().max(1))
    }

    /// Lines and dots beside the colours, and the hatching of what is not complete.
    fn patterns(&self) -> Markup {
        let pattern = |number: usize| format!("{}-p{number}", self.id);
        let marks = [
            "",
            "M0 8L8 0M-2 2L2 -2M6 10L10 6",
            "M0 4H8",
            "M4 0V8",
            "M0 0L8 8M-2 6L2 10M6 -2L10 2",
            "M0 4H8M4 0V8",
            "M0 0L8 8M0 8L8 0",
        ];
        html! {
            defs {
                @for (number, mark) in marks.iter().enumerate().skip(1) {
                    pattern id=(pattern(number)) width="8" height="8" patternUnits="userSpaceOnUse" { path class="mark" d=(mark) {} }
                }
                pattern id=(format!("{}-part", self.id)) width="6" height="6" patternUnits="userSpaceOnUse" { path class="part" d="M0 6L6 0M-1 1L1 -1M5 7L7 5" {} }
            }
        }
    }

    /// What a person would say about the data in one sentence.
    fn sentence(&self) -> String {
        let words = self.words;
        let sum: i128 = self.series.iter().map(total).sum();
        let by_bucket = self.sums();
        let best = by_bucket
            .iter()
            .enumerate()
            .max_by_key(|(at, sum)| (**sum, std::cmp::Reverse(*at)));
        let first = self.series.iter().max_by_key(|series| total(series));
        match (best, first) {
            (Some((at, most)), Some(first)) if sum != 0 => {
                let bucket = self.buckets.get(at).map_or("", String::as_str);
                let (sum, most, own) = (cents(sum, words), cents(*most, words), cents(total(first), words));
                match words {
                    Language::De => format!(
                        "Zusammen {sum}; am meisten um {bucket} mit {most}; vorn {} mit {own}.",
                        first.name
                    ),
                    Language::En => format!(
                        "{sum} in all; most at {bucket} with {most}; {} leads with {own}.",
                        first.name
                    ),
                }
            }
            _ => words.of("Noch keine Zahlen.", "No numbers yet.").to_owned(),
        }
    }

    fn sums(&self) -> Vec<i128> {
        (0..self.buckets.len())
            .map(|at| self.series.iter().filter_map(|series| series.values.get(at)).sum())
            .collect()
    }

    /// Stacked bars from zero, one stack a bucket.
    pub(crate) fn bars(&self) -> Markup {
        let (top, step) = scale(self.sums().into_iter().max().unwrap_or(0));
        let width = self.bucket_width();
        let (inset, bar) = (width / 8, (width - width / 4).max(1));
        let bars = html! {
            @for (at, bucket) in self.buckets.iter().enumerate() {
                @let x = LEFT + index(at) * width + inset;
                g {
                    @for (number, series, below) in self.stack(at) {
                        @let value = series.values.get(at).copied().unwrap_or(0);
                        @let (low, high) = (height_of(below, top), height_of(below + value, top));
                        @if low > high {
                            rect class=(format!("bar s{number}")) x=(x) y=(high) width=(bar) height=(low - high) {
                                title { (bucket) " " (series.name) ": " (cents(value, self.words)) }
                            }
                            @if number > 0 { rect class="over" x=(x) y=(high) width=(bar) height=(low - high) fill=(format!("url(#{}-p{number})", self.id)) {} }
                        }
                    }
                    @if self.incomplete.is_some() && at + 1 == self.buckets.len() {
                        @let high = height_of(self.sums().get(at).copied().unwrap_or(0), top);
                        rect class="over" x=(x) y=(high) width=(bar) height=(HEIGHT - BOTTOM - high) fill=(format!("url(#{}-part)", self.id)) {}
                    }
                }
            }
        };
        self.figure(&self.frame(top, step, &bars), &self.table(true))
    }

    /// Each series of a bucket with what lies below it. What is below zero is in the table and moves nothing here.
    fn stack(&self, at: usize) -> impl Iterator<Item = (usize, &Series, i128)> {
        self.series.iter().enumerate().scan(0, move |below, (number, series)| {
            let value = series.values.get(at).copied().unwrap_or(0).max(0);
            let from = *below;
            *below += value;
            Some((number, series, from))
        })
    }

    /// Lines of sums that grow.
    pub(crate) fn lines(&self) -> Markup {
        let highest = self.series.iter().flat_map(|series| &series.values).copied().max();
        let (top, step) = scale(highest.unwrap_or(0));
        let width = self.bucket_width();
        let x_of = |at: usize| LEFT + index(at) * width + width / 2;
        let lines = html! {
            @for (number, series) in self.series.iter().enumerate() {
                @let points: Vec<String> = series.values.iter().enumerate().map(|(at, value)| format!("{},{}", x_of(at), height_of(*value, top))).collect();
                polyline class=(format!("line s{number}")) points=(points.join(" ")) {}
                @for (at, value) in series.values.iter().enumerate() {
                    circle class=(format!("point s{number}")) cx=(x_of(at)) cy=(height_of(*value, top)) r="3" {
                        title { (self.buckets.get(at).map_or("", String::as_str)) " " (series.name) ": " (cents(*value, self.words)) }
                    }
                }
            }
        };
        self.figure(&self.frame(top, step, &lines), &self.table(false))
    }

    fn figure(&self, drawing: &Markup, table: &Markup) -> Markup {
        html! {
            figure.sheet id=(self.id) {
                figcaption { h2 { (self.title) } }
                (drawing)
                ul.legend aria-hidden="true" {
                    @for (number, series) in self.series.iter().enumerate() {
                        li {
                            svg.swatch viewBox="0 0 16 16" {
                                rect class=(format!("bar s{number}")) width="16" height="16" {}
                                @if number > 0 { rect class="over" width="16" height="16" fill=(format!("url(#{}-p{number})", self.id)) {} }
                            }
                            bdi { (series.name) }
                        }
                    }
                    @if let Some(why) = self.incomplete {
                        li {
                            svg.swatch viewBox="0 0 16 16" { rect class="over" width="16" height="16" fill=(format!("url(#{}-part)", self.id)) {} }
                            (why)
                        }
                    }
                }
                (table)
            }
        }
    }

    /// The same numbers; sums where the buckets can be added.
    fn table(&self, sums: bool) -> Markup {
        let words = self.words;
        let in_all = words.of("Summe", "Total");
        html! {
            details id=(format!("{}-table", self.id)) {
                summary { (words.of("Als Tabelle", "As a table")) }
                div.scroll tabindex="0" role="region" aria-label=(self.title) {
                    table {
                        caption.visually-hidden { (self.title) }
                        thead { tr {
                            th scope="col" { (self.axis) }
                            @for series in self.series { th.amount scope="col" { bdi { (series.name) } } }
                            @if sums { th.amount scope="col" { (in_all) } }
                        } }
                        tbody {
                            @for (at, bucket) in self.buckets.iter().enumerate() {
                                tr {
                                    th scope="row" { (bucket) @if self.incomplete.is_some() && at + 1 == self.buckets.len() { " *" } }
                                    @for series in self.series { td.amount { (cents(series.values.get(at).copied().unwrap_or(0), words)) } }
                                    @if sums { td.amount { (cents(self.sums().get(at).copied().unwrap_or(0), words)) } }
                                }
                            }
                        }
                        @if sums {
                            tfoot { tr {
                                th scope="row" { (in_all) }
                                @for series in self.series { td.amount { (cents(total(series), words)) } }
                                td.amount { (cents(self.series.iter().map(total).sum(), words)) }
                            } }
                        }
                    }
                    @if let Some(why) = self.incomplete { p { small { "* " (why) } } }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(name: &str, values: &[i128]) -> Series {
        Series {
            name: name.to_owned(),
            values: values.to_vec(),
        }
    }

    fn chart<'a>(buckets: &'a [String], series: &'a [Series]) -> Chart<'a> {
        Chart {
            id: "sales",
            title: "Umsatz",
            axis: "Stunde",
            buckets,
            series,
            incomplete: Some("noch nicht vollständig"),
            words: Language::De,
        }
    }

    fn hours(count: usize) -> Vec<String> {
        (0..count).map(|hour| format!("{:02}", (6 + hour) % 24)).collect()
    }

    /// Every amount of the table, in reading order.
    fn amounts(html: &str) -> Vec<i128> {
        let cells = html.split("<td class=\"amount\">").skip(1);
        let digits = cells.filter_map(|cell| cell.split_once('<')).map(|(text, _)| {
            let number: String = text.chars().filter(char::is_ascii_digit).collect();
            number.parse::<i128>().unwrap() * if text.contains('\u{2212}') { -1 } else { 1 }
        });
        digits.collect()
    }

    #[test]
    fn the_table_says_what_the_data_say_and_its_sums_add_up() {
        let data = [series("Bar", &[100, 250, -50]), series("Küche", &[0, 1_000, 7])];
        let buckets = hours(3);
        let html = chart(&buckets, &data).bars().into_string();
        assert_eq!(
            amounts(&html),
            [100, 0, 100, 250, 1_000, 1_250, -50, 7, -43, 300, 1_007, 1_307]
        );
        assert!(
            html.contains(
                "Zusammen 13,07\u{202f}€; am meisten um 07 mit 12,50\u{202f}€; vorn Küche mit 10,07\u{202f}€."
            )
        );
        assert!(html.contains("role=\"img\"") && html.contains("<title id=\"sales-title\">Umsatz</title>"));
    }

    #[test]
    fn heights_are_shares_of_a_round_scale() {
        let data = [series("Bar", &[40_000]), series("Küche", &[20_000])];
        let buckets = hours(1);
        let html = chart(&buckets, &data).bars().into_string();
        let heights: Vec<i128> = html
            .split("class=\"bar s")
            .skip(1)
            .filter_map(|bar| bar.split_once("height=\"")?.1.split_once('"')?.0.parse().ok())
            .filter(|height| *height != 16)
            .collect();
        // 600 € on a scale to 600 € over 216 units.
        assert_eq!(heights, [144, 72]);
        assert_eq!(scale(60_000), (60_000, 20_000));
        assert_eq!(scale(0), (100, 100));
        assert_eq!(scale(61_234), (80_000, 20_000));
    }

    #[test]
    fn six_stands_have_a_colour_and_the_rest_loses_nothing() {
        let many: Vec<Series> = (1..=9).map(|at| series(&at.to_string(), &[at, 10 * at])).collect();
        let shown = largest(many.clone(), "Rest");
        assert_eq!(
            shown.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(),
            ["9", "8", "7", "6", "5", "4", "Rest"]
        );
        assert_eq!(shown.iter().map(total).sum::<i128>(), many.iter().map(total).sum());
        assert_eq!(shown[6].values, [6, 60]);
        assert_eq!(largest(many[..6].to_vec(), "Rest").len(), 6);
    }

    #[test]
    fn the_last_bucket_is_hatched_only_when_it_is_not_complete() {
        let data = [series("Bar", &[100, 200])];
        let buckets = hours(2);
        let open = chart(&buckets, &data);
        assert_eq!(open.bars().into_string().matches("url(#sales-part)").count(), 2);
        let closed = Chart {
            incomplete: None,
            ..open
        };
        assert_eq!(closed.bars().into_string().matches("url(#sales-part)").count(), 0);
    }

    #[test]
    fn an_empty_chart_says_so() {
        let html = chart(&[], &[]).bars().into_string();
        assert!(html.contains("Noch keine Zahlen.") && !html.contains("class=\"bar"));
        assert!(chart(&[], &[]).lines().into_string().contains("<svg"));
    }

    #[test]
    fn lines_show_each_sum_and_names_from_outside_stay_text() {
        let data = [series("<b>", &[100, 300])];
        let buckets = hours(2);
        let html = chart(&buckets, &data).lines().into_string();
        assert!(!html.contains("<b>") && html.contains("&lt;b&gt;"));
        assert_eq!(amounts(&html), [100, 300]);
    }
}
