//! Plots, drawn here as SVG. Whatever is drawn has the colour of the part that it plays; the style sheet finds it by
//! that, and gives it the one that suits the page, in light and in dark.

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

/// Of a list's row, in pixels.
const SPARK: (u32, u32) = (84, 22);

/// Of a page's, in pixels; the page has it as wide as there is room.
const LARGE: Frame = Frame { size: (960, 240), labels: 10 };

/// The same where there is less: its text is as large there as in the other.
const SMALL: Frame = Frame { size: (420, 240), labels: 4 };

/// How much there is room for.
#[derive(Clone, Copy, Debug)]
struct Frame {
    size: (u32, u32),
    /// The most labels of times.
    labels: usize,
}

/// What there was in one stretch of time.
#[derive(Clone, Debug)]
pub(super) struct Point {
    /// What it is called under the plot.
    pub(super) label: String,
    /// What it is called in the table.
    pub(super) name: String,
    pub(super) bucket: Bucket,
}

/// An SVG element, complete with what it says to those who don't see it.
#[derive(Clone, Debug, Default)]
pub(super) struct Plot(String);

impl Plot {
    /// Use over a few days, for a row of a list.
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
        Self::drawn(SPARK, "spark", &label, |svg| spark(svg, &counts))
    }

    /// Tokens, direct checks and refusals over time, on top of each other.
    pub(super) fn of_use(points: &[Point]) -> Self {
        Self::stacked(points, "plot", LARGE)
    }

    /// The same for a narrow page.
    pub(super) fn of_use_narrow(points: &[Point]) -> Self {
        Self::stacked(points, "plot narrow-plot", SMALL)
    }

    fn stacked(points: &[Point], class: &str, frame: Frame) -> Self {
        let label = "Activity over time. The table below has the same numbers.";
        Self::drawn(frame.size, class, label, |svg| stacked(svg, points, frame))
    }

    /// Fails for nobody: an SVG in memory takes whatever is drawn.
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
        // In a page of HTML an SVG needs no name space.
        Self(svg.replacen("<svg ", &described, 1).replacen(r#" xmlns="http://www.w3.org/2000/svg""#, "", 1))
    }
}

fn spark(svg: SVGBackend<'_>, counts: &[u64]) -> Option<()> {
    let area = svg.into_drawing_area();
    let most = counts.iter().copied().max().unwrap_or_default().max(1);
    let (width, height) = (i32::try_from(SPARK.0).ok()?, i32::try_from(SPARK.1).ok()?);
    let step = width / i32::try_from(counts.len().max(1)).ok()?;
    for (left, count) in (0..).step_by(usize::try_from(step.max(1)).ok()?).zip(counts) {
        // What was used at all is seen.
        let tall = (count * (SPARK.1 as u64 - 1)).div_ceil(most);
        let top = height - i32::try_from(tall).ok()?.max(1);
        let colour = if *count > 0 { TOKENS } else { LINE };
        area.draw(&Rectangle::new([(left, top), (left + step - 2, height)], colour.filled())).ok()?;
    }
    area.present().ok()
}

fn stacked(svg: SVGBackend<'_>, points: &[Point], frame: Frame) -> Option<()> {
    let area = svg.into_drawing_area();
    let most = points.iter().map(|point| point.bucket.total()).max().unwrap_or_default();
    // As wide as the longest number, in the largest letters that the style sheet has for it.
    let digits = u32::try_from(grouped(ceiling(most)).chars().count()).ok()?;
    let font = || ("sans-serif", 12).into_font().color(&LABEL);
    let mut chart = ChartBuilder::on(&area)
        .margin_top(10)
        .margin_right(12)
        .x_label_area_size(38)
        .y_label_area_size(20 + 9 * digits)
        .build_cartesian_2d(0.0..points.len() as f64, 0.0..ceiling(most) as f64)
        .ok()?;
    let named = |at: &f64| points.get(*at as usize).map(|point| point.label.clone());
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

/// The least round number that `most` fits under, and at least 5.
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

/// Its words are ours, and its numbers numbers.
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
