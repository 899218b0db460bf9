//! The few shapes of SVG that the plots need.

use std::fmt::Write as _;

/// Colours by class, for light and for dark pages. `c0` to `c4` are those of the sides and of the bars, which people
/// who do not see all colours can tell apart (Okabe and Ito's); `c5` is none of them.
const STYLE: &str = "\
<style>
text { font: 12px system-ui, sans-serif; fill: #1f2328; }
.title { font-size: 15px; font-weight: 600; }
.small { font-size: 10px; }
.value { font-size: 10px; paint-order: stroke; stroke: #ffffff; stroke-width: 3px; }
.back { fill: #ffffff; }
.grid { stroke: #d1d9e0; stroke-width: 1; }
.axis { stroke: #59636e; stroke-width: 1; }
.mark { stroke: #1f2328; stroke-width: 1.5; stroke-dasharray: 2 3; }
.whisker { stroke: #1f2328; stroke-width: 1; }
.target { stroke: #cf222e; stroke-width: 2; }
.line { fill: none; stroke-width: 1.5; }
.dashed { stroke-dasharray: 4 3; }
.hollow { fill: #ffffff; stroke-width: 1.5; }
.c0 { stroke: #0072b2; } .f0 { fill: #0072b2; }
.c1 { stroke: #e69f00; } .f1 { fill: #e69f00; }
.c2 { stroke: #009e73; } .f2 { fill: #009e73; }
.c3 { stroke: #cc79a7; } .f3 { fill: #cc79a7; }
.c4 { stroke: #d55e00; } .f4 { fill: #d55e00; }
.c5 { stroke: #1f2328; } .f5 { fill: #1f2328; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; }
.value { stroke: #0d1117; }
.back, .hollow { fill: #0d1117; }
.grid { stroke: #30363d; }
.axis { stroke: #9198a1; }
.mark, .whisker { stroke: #e6edf3; }
.target { stroke: #ff7b72; }
.c0 { stroke: #56b4e9; } .f0 { fill: #56b4e9; }
.c5 { stroke: #e6edf3; } .f5 { fill: #e6edf3; }
}
</style>";

/// The number of colours.
pub(super) const COLORS: usize = 5;

/// A colour that is none of those: for what is said about all of them.
pub(super) const NEUTRAL: usize = COLORS;

/// A curve's line, and the dots on it.
#[derive(Clone, Copy)]
pub(super) enum Curve {
    /// A solid line with filled dots.
    Solid,
    /// A dashed line with hollow dots.
    Dashed,
}

/// The place of a text beside its point.
#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A picture; all lengths are in pixels from its upper left corner.
pub(super) struct Drawing {
    body: String,
    width: f64,
    height: f64,
    title: String,
}

impl Drawing {
    /// A picture with its title, and below that, in lines, where its figures are from.
    pub(super) fn new(width: f64, height: f64, title: &str, about: &[String]) -> Self {
        let mut drawing = Self { body: String::new(), width, height, title: title.to_owned() };
        drawing.push(&format!(r#"<rect class="back" width="{width}" height="{height}"/>"#));
        drawing.text((12.0, 22.0), Anchor::Start, "title", title);
        for (line, text) in about.iter().enumerate() {
            drawing.text((12.0, 40.0 + 16.0 * place(line)), Anchor::Start, "", text);
        }
        drawing
    }

    pub(super) fn text(&mut self, (x, y): (f64, f64), anchor: Anchor, class: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = escape(text);
        self.push(&format!(
            r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}" class="{class}">{text}</text>"#
        ));
    }

    /// A text from the bottom to the top, its middle at this point.
    pub(super) fn upright_text(&mut self, (x, y): (f64, f64), text: &str) {
        let text = escape(text);
        self.push(&format!(
            r#"<text transform="translate({x:.1} {y:.1}) rotate(-90)" text-anchor="middle">{text}</text>"#
        ));
    }

    pub(super) fn line(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64), class: &str) {
        self.push(&format!(
            r#"<line x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}" class="{class}"/>"#
        ));
    }

    /// A line through all points, with a dot on each.
    pub(super) fn curve(&mut self, points: &[(f64, f64)], color: usize, curve: Curve) {
        let mut list = String::new();
        for (x, y) in points {
            let _ = write!(list, "{x:.1},{y:.1} ");
        }
        let list = list.trim_end();
        let (line, dot) = match curve {
            Curve::Solid => (format!("line c{color}"), format!("f{color}")),
            Curve::Dashed => (format!("line c{color} dashed"), format!("hollow c{color}")),
        };
        self.push(&format!(r#"<polyline points="{list}" class="{line}"/>"#));
        for (x, y) in points {
            self.push(&format!(r#"<circle cx="{x:.1}" cy="{y:.1}" r="3" class="{dot}"/>"#));
        }
    }

    /// An upright line with a short one across each end.
    pub(super) fn whisker(&mut self, x: f64, top: f64, bottom: f64) {
        const HALF: f64 = 3.0;
        self.line((x, top), (x, bottom), "whisker");
        for y in [top, bottom] {
            self.line((x - HALF, y), (x + HALF, y), "whisker");
        }
    }

    /// A filled rectangle with its upper left corner at this point.
    pub(super) fn bar(&mut self, (x, y): (f64, f64), width: f64, height: f64, color: usize) {
        self.push(&format!(
            r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" class="f{color}"/>"#
        ));
    }

    /// The whole file.
    pub(super) fn finish(self) -> String {
        let Self { body, width, height, title } = self;
        let title = escape(&title);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" role=\"img\">\n<title>{title}</title>\n{STYLE}\n{body}</svg>\n"
        )
    }

    fn push(&mut self, element: &str) {
        self.body.push_str(element);
        self.body.push('\n');
    }
}

/// A place in a row of so many, from 0, as a length.
pub(super) fn place(index: usize) -> f64 {
    f64::from(u32::try_from(index).unwrap_or(u32::MAX))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::{Anchor, Drawing};

    #[test]
    fn a_text_is_escaped() {
        let mut drawing = Drawing::new(10.0, 20.0, "a < b", &["local".to_owned()]);
        drawing.text((1.0, 2.0), Anchor::Middle, "small", "p99 > p50 & more");
        let svg = drawing.finish();
        assert!(svg.contains("<title>a &lt; b</title>"), "{svg}");
        assert!(svg.contains(
            r#"y="2.0" text-anchor="middle" class="small">p99 &gt; p50 &amp; more</text>"#
        ));
        assert!(svg.ends_with("</svg>\n"), "{svg}");
    }
}
