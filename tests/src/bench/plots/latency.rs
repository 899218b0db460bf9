//! Latency over concurrency: a panel for each workload, with a line for each side.

use super::super::comparison::{Figure, Series};
use super::super::services::Side;
use super::drawing::{Anchor, Drawing, place};
use super::{sides, workloads};

const PANELS_IN_A_ROW: usize = 4;
const PANEL_WIDTH: f64 = 240.0;
const PANEL_HEIGHT: f64 = 210.0;
/// Space above the panels, for the title and the legend.
const TOP: f64 = 92.0;
/// Space of a panel outside its axes: for the numbers beside them, and the name above.
const LEFT: f64 = 52.0;
const RIGHT: f64 = 12.0;
const ABOVE: f64 = 24.0;
const BELOW: f64 = 44.0;

/// The figures with their line's class.
const FIGURES: [(Figure, &str); 2] = [(Figure::P50, ""), (Figure::P99, "dashed")];

/// A logarithmic axis from one power of ten to another one.
struct Scale {
    low: i32,
    high: i32,
}

/// The whole file. `about` says where the figures are from.
pub(super) fn draw(all: &[Series], about: &[String]) -> String {
    let workloads = workloads(all);
    let columns = workloads.len().clamp(1, PANELS_IN_A_ROW);
    let rows = workloads.len().div_ceil(PANELS_IN_A_ROW);
    // Wide enough for the title and the legend.
    let width = (place(columns) * PANEL_WIDTH).max(720.0);
    let title = "Latency over concurrency";
    let mut drawing = Drawing::new(width, TOP + place(rows) * PANEL_HEIGHT, title, about);
    legend(&mut drawing, all);
    let scale = Scale::of(all);
    for (index, workload) in workloads.into_iter().enumerate() {
        let x = place(index % PANELS_IN_A_ROW) * PANEL_WIDTH;
        let y = TOP + place(index / PANELS_IN_A_ROW) * PANEL_HEIGHT;
        let series: Vec<&Series> = all.iter().filter(|one| one.workload == workload).collect();
        panel(&mut drawing, (x, y), &series, &sides(all), &scale);
    }
    drawing.finish()
}

fn legend(drawing: &mut Drawing, all: &[Series]) {
    let mut x = 12.0;
    for (color, side) in sides(all).into_iter().enumerate() {
        drawing.curve(&[(x, 74.0), (x + 24.0, 74.0)], color, "");
        drawing.text((x + 32.0, 78.0), Anchor::Start, "", side.name());
        x += 110.0;
    }
    for (label, class) in [("p50", "axis"), ("p99", "axis dashed")] {
        drawing.line((x, 74.0), (x + 24.0, 74.0), class);
        drawing.text((x + 32.0, 78.0), Anchor::Start, "", label);
        x += 80.0;
    }
}

fn panel(
    drawing: &mut Drawing,
    (x, y): (f64, f64),
    series: &[&Series],
    sides: &[Side],
    scale: &Scale,
) {
    let (left, right) = (x + LEFT, x + PANEL_WIDTH - RIGHT);
    let (top, bottom) = (y + ABOVE, y + PANEL_HEIGHT - BELOW);
    let name = series.first().map_or("", |one| one.workload.name());
    drawing.text((f64::midpoint(left, right), y + 14.0), Anchor::Middle, "", name);
    for power in scale.low..=scale.high {
        let value = 10_f64.powi(power);
        let height = bottom - scale.part(value) * (bottom - top);
        drawing.line((left, height), (right, height), "grid");
        drawing.text((left - 6.0, height + 4.0), Anchor::End, "small", &value.to_string());
    }
    drawing.line((left, bottom), (right, bottom), "axis");
    drawing.line((left, top), (left, bottom), "axis");
    drawing.upright_text((x + 14.0, f64::midpoint(top, bottom)), "ms");
    let middle = f64::midpoint(left, right);
    drawing.text((middle, bottom + 34.0), Anchor::Middle, "", "connections");

    let mut by_connections = series.to_vec();
    by_connections.sort_by_key(|one| one.connections);
    let step = (right - left) / place(by_connections.len().max(1));
    let across = |index| left + step * (place(index) + 0.5);
    for (index, one) in by_connections.iter().enumerate() {
        let label = one.connections.to_string();
        drawing.text((across(index), bottom + 16.0), Anchor::Middle, "small", &label);
    }
    for (color, side) in sides.iter().copied().enumerate() {
        for (figure, class) in FIGURES {
            let point = |(index, one): (usize, &&Series)| {
                let value = one.median(side, figure)?;
                Some((across(index), bottom - scale.part(value) * (bottom - top)))
            };
            let points: Vec<_> = by_connections.iter().enumerate().filter_map(point).collect();
            if !points.is_empty() {
                drawing.curve(&points, color, class);
            }
        }
    }
}

impl Scale {
    /// With room for all figures.
    fn of(all: &[Series]) -> Self {
        let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
        for series in all {
            for side in series.sides.iter().copied() {
                for (figure, _) in FIGURES {
                    if let Some(value) = series.median(side, figure).filter(|value| *value > 0.0) {
                        least = least.min(value);
                        most = most.max(value);
                    }
                }
            }
        }
        if least > most {
            return Self { low: -1, high: 1 };
        }
        #[expect(clippy::cast_possible_truncation, reason = "a few powers of ten")]
        let (low, high) = (least.log10().floor() as i32, most.log10().ceil() as i32);
        Self { low, high: high.max(low + 1) }
    }

    /// The place of a value on the axis, from 0 to 1.
    fn part(&self, value: f64) -> f64 {
        let (low, high) = (f64::from(self.low), f64::from(self.high));
        ((value.log10() - low) / (high - low)).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::comparison::tests::series;
    use super::super::super::options::Workload;
    use super::draw;

    #[test]
    fn each_workload_has_a_panel_with_lines_in_the_order_of_the_connections() {
        let all = [
            series(Workload::Get, 16, &[(1_000.0, 2_000.0)]),
            series(Workload::Get, 1, &[(100.0, 200.0)]),
            series(Workload::List, 1, &[(500.0, 600.0)]),
        ];
        let svg = draw(&all, &["local, WASI 0.3".to_owned()]);
        for text in
            [">get<", ">list of 100<", ">connections<", ">ms<", ">local, WASI 0.3<", ">p99<"]
        {
            assert!(svg.contains(text), "{text}: {svg}");
        }
        let x = |label: &str| {
            let end = svg.find(&format!(">{label}</text>")).expect(label);
            let start = svg[..end].rfind("x=\"").expect("a place") + 3;
            svg[start..].split('"').next().and_then(|x| x.parse::<f64>().ok()).expect("a number")
        };
        // The first one of each is in the first panel.
        assert!(x("1") < x("16"), "{svg}");
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }

    #[test]
    fn without_figures_there_are_still_axes() {
        assert!(draw(&[], &[]).contains("Latency"));
        let svg = draw(&[series(Workload::Get, 1, &[])], &[]);
        assert!(svg.contains(">get<") && !svg.contains("NaN"), "{svg}");
    }
}
