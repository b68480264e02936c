//! Writes families of metrics.

use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::exemplar::Exemplar;
use prometheus_client::registry::Unit;

use super::Durations;

/// The labels of a sample, and their values.
type Labels<'v, const N: usize> = [(&'static str, &'v str); N];

/// Writes families of metrics during a scrape. Names are given in full, with the unit and, for counters, `_total`.
#[derive(Debug)]
pub struct Exposition<'a>(DescriptorEncoder<'a>);

impl<'a> From<DescriptorEncoder<'a>> for Exposition<'a> {
    fn from(encoder: DescriptorEncoder<'a>) -> Self {
        Self(encoder)
    }
}

impl Exposition<'_> {
    /// Writes a gauge without labels. `None` writes no sample.
    ///
    /// # Errors
    /// When the text can't be written.
    pub fn gauge(&mut self, name: &str, help: &str, value: impl Into<Option<f64>>) -> fmt::Result {
        self.gauges(name, help, value.into().map(|value| ([], value)))
    }

    /// Writes a gauge for each set of labels.
    ///
    /// # Errors
    /// When the text can't be written.
    pub fn gauges<'v, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels<'v, N>, f64)>,
    ) -> fmt::Result {
        let write = |mut encoder: MetricEncoder<'_>, value: &f64| encoder.encode_gauge(value);
        self.family(name, help, MetricType::Gauge, samples, write)
    }

    /// Writes a counter without labels.
    ///
    /// # Errors
    /// When the text can't be written.
    pub fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        self.counters(name, help, [([], value)])
    }

    /// Writes a counter for each set of labels.
    ///
    /// # Errors
    /// When the text can't be written.
    pub fn counters<'v, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels<'v, N>, u64)>,
    ) -> fmt::Result {
        let write = |mut encoder: MetricEncoder<'_>, value: &u64| encoder.encode_counter(value, NO_EXEMPLAR);
        self.family(name.trim_end_matches("_total"), help, MetricType::Counter, samples, write)
    }

    /// Writes a counter of seconds without labels.
    ///
    /// # Errors
    /// When the text can't be written.
    pub fn counter_of_seconds(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        let write = |mut encoder: MetricEncoder<'_>, value: &f64| encoder.encode_counter(value, NO_EXEMPLAR);
        self.family(name.trim_end_matches("_total"), help, MetricType::Counter, [([], value)], write)
    }

    /// Writes a histogram for each set of labels.
    ///
    /// # Errors
    /// When the text can't be written.
    pub fn durations<'v, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels<'v, N>, &'v Durations)>,
    ) -> fmt::Result {
        let write = |encoder: MetricEncoder<'_>, value: &&Durations| value.encode(encoder);
        self.family(name, help, MetricType::Histogram, samples, write)
    }

    fn family<'v, V, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        kind: MetricType,
        samples: impl IntoIterator<Item = (Labels<'v, N>, V)>,
        write: impl Fn(MetricEncoder<'_>, &V) -> fmt::Result,
    ) -> fmt::Result {
        let (name, unit) = without_unit(name);
        let mut family = self.0.encode_descriptor(name, &format!("{help}."), unit, kind)?;
        for (labels, value) in samples {
            write(family.encode_family(&labels)?, &value)?;
        }
        Ok(())
    }
}

const NO_EXEMPLAR: Option<&Exemplar<[(&str, &str); 0], f64>> = None;

/// Splits the unit from a name. The encoder writes both, and declares the unit.
fn without_unit(name: &str) -> (&str, Option<&'static Unit>) {
    static UNITS: [Unit; 2] = [Unit::Seconds, Unit::Bytes];
    let split = UNITS.iter().find_map(|unit| {
        let name = name.strip_suffix(unit.as_str())?.strip_suffix('_')?;
        Some((name, Some(unit)))
    });
    split.unwrap_or((name, None))
}
