//! Latency over concurrency: a panel for each workload, with a line for each side.

use super::super::comparison::{Figure, Series};
use super::super::services::Side;
use super::drawing::{Anchor, Curve, Drawing, NEUTRAL, place};
use super::{sides, workloads};

const PANELS_IN_A_ROW: usize = 4;
const PANEL_WIDTH: f64 = 250.0;
const PANEL_HEIGHT: f64 = 320.0;
/// Space above the panels, for the title and the legend.
const TOP: f64 = 92.0;
/// Space of a panel outside its axes: for the numbers beside them, and the name above.
const LEFT: f64 = 52.0;
const RIGHT: f64 = 12.0;
const ABOVE: f64 = 24.0;
const BELOW: f64 = 44.0;

/// Space between the points of two sides, which would hide each other where they are equal.
const BETWEEN_SIDES: f64 = 5.0;

/// The figures with their curves and names.
const FIGURES: [(Figure, Curve, &str); 2] =
    [(Figure::P50, Curve::Solid, "p50"), (Figure::P99, Curve::Dashed, "p99")];

/// Of each power of ten, the values with a line and a number.
const STEPS: [f64; 3] = [1.0, 2.0, 5.0];

/// A logarithmic axis from one value to another one, which all panels share.
struct Scale {
    low: f64,
    high: f64,
}

/// The whole file. `about` says where the figures are from.
pub(super) fn draw(all: &[Series], about: &[String]) -> String {
    let workloads = workloads(all);
    let columns = workloads.len().clamp(1, PANELS_IN_A_ROW);
    let rows = workloads.len().div_ceil(PANELS_IN_A_ROW);
    // Wide enough for the title and the legend.
    let width = (place(columns) * PANEL_WIDTH).max(780.0);
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
        drawing.curve(&[(x, 74.0), (x + 24.0, 74.0)], color, Curve::Solid);
        drawing.text((x + 32.0, 78.0), Anchor::Start, "", side.name());
        x += 120.0;
    }
    for (_, curve, label) in FIGURES {
        drawing.curve(&[(x, 74.0), (x + 24.0, 74.0)], NEUTRAL, curve);
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
    for value in scale.steps() {
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
    let middle = place(sides.len().saturating_sub(1)) / 2.0;
    for (color, side) in sides.iter().copied().enumerate() {
        let beside = (place(color) - middle) * BETWEEN_SIDES;
        for (figure, curve, _) in FIGURES {
            let point = |(index, one): (usize, &&Series)| {
                let value = one.median(side, figure)?;
                Some((across(index) + beside, bottom - scale.part(value) * (bottom - top)))
            };
            let points: Vec<_> = by_connections.iter().enumerate().filter_map(point).collect();
            if !points.is_empty() {
                drawing.curve(&points, color, curve);
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
                for (figure, ..) in FIGURES {
                    if let Some(value) = series.median(side, figure).filter(|value| *value > 0.0) {
                        least = least.min(value);
                        most = most.max(value);
                    }
                }
            }
        }
        if least > most {
            return Self { low: 0.1, high: 10.0 };
        }
        // Some space at both ends, and at least one step of the axis.
        Self { low: least / 1.3, high: (most * 1.3).max(least * 2.0) }
    }

    /// The values with a line, from the least one on.
    fn steps(&self) -> Vec<f64> {
        #[expect(clippy::cast_possible_truncation, reason = "a few powers of ten")]
        let [first, last] = [self.low, self.high].map(|value| value.log10().floor() as i32);
        let all = (first..=last).flat_map(|power| STEPS.map(|step| step * 10_f64.powi(power)));
        all.filter(|value| (self.low..=self.high).contains(value)).collect()
    }

    /// The place of a value on the axis, from 0 to 1.
    fn part(&self, value: f64) -> f64 {
        ((value / self.low).ln() / (self.high / self.low).ln()).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::comparison::tests::series;
    use super::super::super::options::Workload;
    use super::{Scale, draw};

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
    fn the_axis_reaches_from_the_least_figure_to_the_largest() {
        // p50 of 1 and 2 ms, p99 of 4 and 8.
        let scale = Scale::of(&[series(Workload::Get, 1, &[(1_000.0, 500.0)])]);
        assert_eq!(scale.steps(), [1.0, 2.0, 5.0, 10.0]);
        assert!(scale.part(1.0) > 0.0 && scale.part(1.0) < 0.15, "{}", scale.part(1.0));
        assert!(scale.part(8.0) > 0.85 && scale.part(8.0) < 1.0, "{}", scale.part(8.0));
        let narrow = Scale { low: 0.021, high: 0.21 };
        assert_eq!(narrow.steps().len(), 3);
    }

    #[test]
    fn without_figures_there_are_still_axes() {
        assert!(draw(&[], &[]).contains("Latency"));
        let svg = draw(&[series(Workload::Get, 1, &[])], &[]);
        assert!(svg.contains(">get<") && !svg.contains("NaN"), "{svg}");
    }
}
