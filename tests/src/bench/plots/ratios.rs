//! The API's requests per second divided by those of the bare component and of the native server, and per CPU
//! second by those of the predecessor, which has one process only: a row of bars for each of them, a group for each
//! workload, a bar for each number of connections with the least and the largest of the rounds, and a line at the target.

use std::collections::BTreeSet;

use super::super::comparison::{Figure, RATIOS, Series};
use super::super::options::Workload;
use super::super::services::Side;
use super::super::target::Target;
use super::drawing::{Anchor, COLORS, Drawing, place};
use super::{sides, workloads};

const GROUP_WIDTH: f64 = 110.0;
const ROW_HEIGHT: f64 = 240.0;
/// Space above the rows, for the title and the legend.
const TOP: f64 = 86.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 16.0;
const ABOVE: f64 = 30.0;
const BELOW: f64 = 34.0;
const BETWEEN_GROUPS: f64 = 18.0;
const BETWEEN_BARS: f64 = 2.0;

/// The whole file. `about` says where the figures are from.
pub(super) fn draw(all: &[Series], about: &[String]) -> String {
    let workloads = workloads(all);
    let connections: BTreeSet<u16> = all.iter().map(|one| one.connections).collect();
    let connections: Vec<u16> = connections.into_iter().collect();
    let measured = sides(all);
    let rows: Vec<Side> = RATIOS.into_iter().filter(|to| measured.contains(to)).collect();

    let width = (LEFT + place(workloads.len()) * GROUP_WIDTH + RIGHT).max(720.0);
    let title = "Requests per second of the API, divided by those of the others";
    let mut drawing = Drawing::new(width, TOP + place(rows.len()) * ROW_HEIGHT, title, about);
    let mut x = 12.0;
    for (index, count) in connections.iter().enumerate() {
        drawing.bar((x, 66.0), 12.0, 12.0, index % COLORS);
        let unit = if *count == 1 { "connection" } else { "connections" };
        drawing.text((x + 18.0, 77.0), Anchor::Start, "", &format!("{count} {unit}"));
        x += 130.0;
    }
    drawing.whisker(x + 6.0, 66.0, 78.0);
    drawing.text((x + 18.0, 77.0), Anchor::Start, "", "least and largest of the rounds");
    x += 224.0;
    drawing.line((x, 72.0), (x + 12.0, 72.0), "target");
    drawing.text((x + 18.0, 77.0), Anchor::Start, "", "target");
    for (index, to) in rows.into_iter().enumerate() {
        let y = TOP + place(index) * ROW_HEIGHT;
        row(&mut drawing, y, width, to, all, &workloads, &connections);
    }
    drawing.finish()
}

fn row(
    drawing: &mut Drawing,
    y: f64,
    width: f64,
    to: Side,
    all: &[Series],
    workloads: &[Workload],
    connections: &[u16],
) {
    let (figure, unit) = match to {
        Side::Predecessor => (Figure::PerCpuSecond, ", requests per CPU second"),
        _ => (Figure::Throughput, ""),
    };
    let (left, right) = (LEFT, width - RIGHT);
    let (top, bottom) = (y + ABOVE, y + ROW_HEIGHT - BELOW);
    let ratio = |workload, count| {
        let series = all.iter().find(|one| one.workload == workload && one.connections == count)?;
        series.ratio(to, figure)
    };
    let all_ratios = workloads.iter().flat_map(|one| connections.iter().map(|n| ratio(*one, *n)));
    let target = |workload: Workload| {
        let reuse = all.first()?.reuse;
        let targets = Target::of(workload, reuse).into_iter().filter(|target| target.side() == to);
        targets.map(Target::limit).find(|(one, _)| *one == figure).map(|(_, limit)| limit)
    };
    // To the next half above the largest one, and at least to 1.
    let targets = workloads.iter().filter_map(|workload| target(*workload));
    let heights = all_ratios.flatten().map(|ratio| ratio.most).chain(targets);
    let most = (heights.fold(1.0, f64::max) * 2.0).ceil() / 2.0;
    let height = |value: f64| bottom - value / most * (bottom - top);

    drawing.text((left, y + 16.0), Anchor::Start, "", &format!("API / {}{unit}", to.name()));
    let step = match most {
        most if most > 4.0 => 2.0,
        most if most > 1.5 => 0.5,
        _ => 0.25,
    };
    let mut line = 0.0;
    while line <= most + 0.01 {
        drawing.line((left, height(line)), (right, height(line)), "grid");
        let label = format!("{line:.2}");
        drawing.text((left - 6.0, height(line) + 4.0), Anchor::End, "small", &label);
        line += step;
    }
    let room = GROUP_WIDTH - BETWEEN_GROUPS;
    let bar = room / place(connections.len().max(1));
    let mut values = Vec::new();
    for (group, workload) in workloads.iter().enumerate() {
        let start = left + place(group) * GROUP_WIDTH + BETWEEN_GROUPS / 2.0;
        let middle = (start + room / 2.0, bottom + 18.0);
        drawing.text(middle, Anchor::Middle, "", workload.name());
        for (index, count) in connections.iter().enumerate() {
            let Some(ratio) = ratio(*workload, *count) else { continue };
            let x = start + place(index) * bar;
            let width = (bar - BETWEEN_BARS).max(1.0);
            let (top, middle) = (height(ratio.median), x + width / 2.0);
            drawing.bar((x, top), width, bottom - top, index % COLORS);
            drawing.whisker(middle, height(ratio.most), height(ratio.least));
            let above = (middle, height(ratio.most) - 4.0);
            values.push((above, format!("{:.2}", ratio.median)));
        }
        if let Some(target) = target(*workload) {
            drawing.line((start, height(target)), (start + room, height(target)), "target");
        }
    }
    drawing.line((left, bottom), (right, bottom), "axis");
    drawing.line((left, height(1.0)), (right, height(1.0)), "mark");
    // Upon the lines.
    for (place, value) in values {
        drawing.text(place, Anchor::Middle, "value", &value);
    }
    drawing.upright_text((14.0, f64::midpoint(top, bottom)), "ratio of requests");
}

#[cfg(test)]
mod tests {
    use super::super::super::comparison::Round;
    use super::super::super::comparison::tests::series;
    use super::super::super::load::Cell;
    use super::super::super::options::Workload;
    use super::super::super::services::Side;
    use super::draw;

    #[test]
    fn each_workload_has_a_bar_for_each_number_of_connections() {
        let all = [
            series(Workload::Get, 1, &[(90.0, 100.0)]),
            series(Workload::Get, 16, &[(80.0, 100.0)]),
            series(Workload::List, 1, &[(120.0, 100.0)]),
        ];
        let svg = draw(&all, &[]);
        for text in [
            ">get<",
            ">list of 100<",
            ">API / floor<",
            ">0.90<",
            ">0.80<",
            ">1.20<",
            ">16 connections<",
        ] {
            assert!(svg.contains(text), "{text}: {svg}");
        }
        // The native server took no part in these rounds: its row has no bars.
        let bars = svg.matches(r#"class="f0"/>"#).count() + svg.matches(r#"class="f1"/>"#).count();
        assert_eq!(bars, 3 + 2, "three bars, two of the legend: {svg}");
    }

    #[test]
    fn bars_have_the_least_and_the_largest_round_and_the_target() {
        let all = [
            series(Workload::Get, 1, &[(90.0, 100.0), (80.0, 100.0)]),
            series(Workload::Mix, 1, &[(90.0, 100.0)]),
        ];
        let svg = draw(&all, &[]);
        // Three lines of each, and of the legend's.
        assert_eq!(svg.matches(r#"class="whisker"/>"#).count(), 3 * (2 + 1), "{svg}");
        // A mix has no target.
        assert_eq!(svg.matches(r#"class="target"/>"#).count(), 1 + 1, "{svg}");
        assert!(svg.contains(">0.85<"), "{svg}");
    }

    #[test]
    fn the_predecessor_has_a_row_of_requests_per_cpu_second() {
        let cell = |cpu| Cell { server_cpu: Some(cpu), ..Cell::default() };
        let mut series = series(Workload::List, 16, &[]);
        series.sides.push(Side::Predecessor);
        let cells = vec![(Side::Api, cell(0.25)), (Side::Predecessor, cell(3.0))];
        series.rounds = vec![Round(cells)];
        let svg = draw(&[series], &[]);
        for text in [">API / predecessor, requests per CPU second<", ">12.00<", ">10.00<"] {
            assert!(svg.contains(text), "{text}: {svg}");
        }
    }

    #[test]
    fn without_figures_there_are_still_axes() {
        assert!(draw(&[], &[]).contains("Requests per second"));
        let svg = draw(&[series(Workload::Get, 1, &[])], &[]);
        assert!(svg.contains(">get<") && !svg.contains("NaN"), "{svg}");
    }
}
