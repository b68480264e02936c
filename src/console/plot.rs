//! Plots, rendered as SVG. Each shape gets a colour that stands for its role. The style sheet selects shapes by that
//! colour and replaces it with one for the light or the dark scheme.

use std::fmt;

use askama::filters::HtmlSafe;
use plotters::prelude::{
    ChartBuilder, Color as _, IntoDrawingArea as _, IntoFont as _, RGBColor, Rectangle, SVGBackend,
};

use super::when::grouped;
use crate::use_cases::management::usage::{Bucket, Usage};

const TOKENS: RGBColor = RGBColor(0x0f, 0x76, 0x6e);
const DIRECT: RGBColor = RGBColor(0x8b, 0x5c, 0xf6);
const REFUSED: RGBColor = RGBColor(0xdc, 0x26, 0x26);
const LINE: RGBColor = RGBColor(0xe4, 0xe7, 0xec);
const LABEL: RGBColor = RGBColor(0x66, 0x70, 0x85);

/// The size of a plot in a list's row, in pixels.
const SPARK: (u32, u32) = (84, 22);

/// The size of a page's plot in pixels. The page scales it to its width.
const LARGE: Frame = Frame { size: (960, 240), labels: 10 };

/// The frame on narrow screens, where text keeps the same size.
const SMALL: Frame = Frame { size: (420, 240), labels: 4 };

/// The space to the right of the bars, in pixels.
const RIGHT_MARGIN: u32 = 12;

/// The dimensions of a plot.
#[derive(Clone, Copy, Debug)]
struct Frame {
    size: (u32, u32),
    /// The maximum number of time labels.
    labels: usize,
}

/// The counts of one interval.
#[derive(Clone, Debug)]
pub(super) struct Point {
    /// The label on the axis.
    pub(super) label: String,
    /// The label in the table.
    pub(super) name: String,
    pub(super) bucket: Bucket,
}

/// An SVG element with a text for screen readers.
#[derive(Clone, Debug, Default)]
pub(super) struct Plot(String);

impl Plot {
    /// Usage over a few days, for a list's row.
    pub(super) fn spark(usage: &Usage, span: &str) -> Self {
        let counts: Vec<u64> = usage.buckets().iter().map(Bucket::used).collect();
        let used = match counts.iter().sum() {
            0 => format!("Not used in the last {span}"),
            1 => format!("Used once in the last {span}"),
            times => format!("Used {} times in the last {span}", grouped(times)),
        };
        let label = match usage.buckets().iter().map(|bucket| bucket.refused.total()).sum() {
            0 => used,
            1 => format!("{used}; refused once"),
            times => format!("{used}; refused {} times", grouped(times)),
        };
        Self::drawn(SPARK, "spark", &label, |svg| draw_spark(svg, &counts))
    }

    /// Tokens, direct checks and refusals over time, stacked.
    pub(super) fn of_use(points: &[Point]) -> Self {
        Self::stacked(points, "plot", LARGE)
    }

    /// The same plot for narrow screens.
    pub(super) fn of_use_narrow(points: &[Point]) -> Self {
        Self::stacked(points, "plot narrow-plot", SMALL)
    }

    fn stacked(points: &[Point], class: &str, frame: Frame) -> Self {
        let label = "Activity over time. The table below has the same numbers.";
        let Self(svg) = Self::drawn(frame.size, class, label, |svg| draw_stacked(svg, points, frame));
        // Where the bars begin and end, in percent of the width, for the script that tells each one's numbers.
        let percent = |pixels: u32| f64::from(pixels) * 100.0 / f64::from(frame.size.0);
        let (left, right) = (percent(axis_width(points)), percent(RIGHT_MARGIN));
        let kind = if class == "plot" { "wide-chart" } else { "narrow-chart" };
        Self(format!(
            r#"<div class="chart {kind}" data-left="{left:.3}" data-right="{right:.3}">{svg}</div>"#
        ))
    }

    /// Drawing into memory never fails.
    fn drawn(
        size: (u32, u32),
        class: &str,
        label: &str,
        draw: impl FnOnce(SVGBackend<'_>) -> Option<()>,
    ) -> Self {
        let mut svg = String::new();
        if draw(SVGBackend::with_string(&mut svg, size)).is_none() {
            return Self::default();
        }
        let described = format!(r#"<svg class="{class}" role="img" aria-label="{label}" "#);
        // An SVG inside HTML needs no name space.
        Self(svg.replacen("<svg ", &described, 1).replacen(r#" xmlns="http://www.w3.org/2000/svg""#, "", 1))
    }
}

fn draw_spark(svg: SVGBackend<'_>, counts: &[u64]) -> Option<()> {
    let area = svg.into_drawing_area();
    let most = counts.iter().copied().max().unwrap_or_default().max(1);
    let (width, height) = (i32::try_from(SPARK.0).ok()?, i32::try_from(SPARK.1).ok()?);
    let step = width / i32::try_from(counts.len().max(1)).ok()?;
    for (left, count) in (0..).step_by(usize::try_from(step.max(1)).ok()?).zip(counts) {
        // Any use at all gets at least one visible pixel.
        let tall = (count * (SPARK.1 as u64 - 1)).div_ceil(most);
        let top = height - i32::try_from(tall).ok()?.max(1);
        let colour = if *count > 0 { TOKENS } else { LINE };
        area.draw(&Rectangle::new([(left, top), (left + step - 2, height)], colour.filled())).ok()?;
    }
    area.present().ok()
}

fn draw_stacked(svg: SVGBackend<'_>, points: &[Point], frame: Frame) -> Option<()> {
    let area = svg.into_drawing_area();
    let most = busiest(points);
    let font = || ("sans-serif", 12).into_font().color(&LABEL);
    let mut chart = ChartBuilder::on(&area)
        .margin_top(10)
        .margin_right(RIGHT_MARGIN)
        .x_label_area_size(38)
        .y_label_area_size(axis_width(points))
        .build_cartesian_2d(0.0..points.len() as f64, 0.0..ceiling(most) as f64)
        .ok()?;
    // Between the beginnings of two intervals, as in a chart of very few, there is nothing to name.
    let begun = |at: &f64| (at.fract().abs() < 1e-6).then_some(*at as usize);
    let named = |at: &f64| begun(at).and_then(|at| points.get(at)).map(|point| point.label.clone());
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(LINE.mix(0.0))
        .bold_line_style(LINE)
        .axis_style(LINE)
        .x_labels(frame.labels)
        .y_labels(5)
        .x_label_style(font())
        .y_label_style(font())
        .x_label_formatter(&|at| named(at).unwrap_or_default())
        .y_label_formatter(&|count| grouped(*count as u64))
        .draw()
        .ok()?;
    for (at, Point { bucket, .. }) in points.iter().enumerate() {
        let (left, right) = (at as f64 + 0.14, at as f64 + 0.86);
        let mut bottom = 0.0;
        for (count, colour) in
            [(bucket.tokens, TOKENS), (bucket.direct, DIRECT), (bucket.refused.total(), REFUSED)]
        {
            let top = bottom + count as f64;
            if count > 0 {
                chart.draw_series([Rectangle::new([(left, bottom), (right, top)], colour.filled())]).ok()?;
            }
            bottom = top;
        }
    }
    drop(chart);
    area.present().ok()
}

/// The count of the busiest interval.
fn busiest(points: &[Point]) -> u64 {
    points.iter().map(|point| point.bucket.total()).max().unwrap_or_default()
}

/// The width of the axis with the counts, in pixels: enough for the longest number at the style sheet's largest font
/// size.
fn axis_width(points: &[Point]) -> u32 {
    let digits = grouped(ceiling(busiest(points))).chars().count();
    20 + 9 * u32::try_from(digits).unwrap_or_default()
}

/// The smallest round number that is at least `most`, and at least 5.
fn ceiling(most: u64) -> u64 {
    let mut power = 1_u64;
    loop {
        for round in [5, 6, 8, 10, 15, 20, 25, 30, 40] {
            if let Some(round) = power.checked_mul(round).filter(|round| *round >= most) {
                return round;
            }
        }
        match power.checked_mul(10) {
            Some(next) => power = next,
            None => return most,
        }
    }
}

impl fmt::Display for Plot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The SVG contains only fixed texts and numbers.
impl HtmlSafe for Plot {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_ends_in_a_round_number() {
        for (most, end) in
            [(0, 5), (5, 5), (7, 8), (11, 15), (41, 50), (231, 250), (1_001, 1_500), (u64::MAX, u64::MAX)]
        {
            assert_eq!(ceiling(most), end);
        }
    }
}
