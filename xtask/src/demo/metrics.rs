//! What the gateway counts, in the text format of Prometheus.

/// One reading.
pub(super) struct Metrics(Vec<Sample>);

struct Sample {
    name: String,
    labels: Vec<(String, String)>,
    value: f64,
}

impl Metrics {
    /// Reads the text; lines that are no samples are left out.
    pub(super) fn parse(text: &str) -> Self {
        Self(text.lines().filter_map(sample).collect())
    }

    /// The sum of all samples of this name that have these labels.
    pub(super) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> u64 {
        let has = |sample: &Sample, (name, value): (&str, &str)| {
            sample.labels.iter().any(|(n, v)| n == name && v == value)
        };
        let matching = self
            .0
            .iter()
            .filter(|sample| sample.name == name && labels.iter().all(|label| has(sample, *label)));
        let sum: f64 = matching.map(|sample| sample.value).sum();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "counts, and far below 2^53"
        )]
        let sum = sum as u64;
        sum
    }

    /// Packets by hook, verdict and reason.
    pub(super) fn packets(&self, hook: &str, verdict: &str, reason: &str) -> u64 {
        let labels = [("hook", hook), ("verdict", verdict), ("reason", reason)];
        self.sum("enforcer_packets_total", &labels)
    }
}

fn sample(line: &str) -> Option<Sample> {
    if line.starts_with('#') {
        return None;
    }
    let (name, value) = line.rsplit_once(' ')?;
    let (name, labels) = match name.split_once('{') {
        Some((name, labels)) => (name, labels.strip_suffix('}')?),
        None => (name, ""),
    };
    let labels = labels.split(',').filter_map(|label| {
        let (name, value) = label.split_once('=')?;
        Some((name.to_owned(), value.trim_matches('"').to_owned()))
    });
    Some(Sample {
        name: name.to_owned(),
        labels: labels.collect(),
        value: value.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_add_up_by_label() {
        let text = "\
# HELP enforcer_packets_total Packets judged.
enforcer_packets_total{hook=\"xdp\",verdict=\"pass\",reason=\"role_allows\"} 3
enforcer_packets_total{hook=\"xdp\",verdict=\"drop\",reason=\"role_denies\"} 4
enforcer_packets_total{hook=\"tc_egress\",verdict=\"pass\",reason=\"role_allows\"} 5
enforcer_events_lost_total 1
";
        let metrics = Metrics::parse(text);
        assert_eq!(metrics.sum("enforcer_packets_total", &[("hook", "xdp")]), 7);
        assert_eq!(metrics.packets("xdp", "drop", "role_denies"), 4);
        assert_eq!(metrics.sum("enforcer_events_lost_total", &[]), 1);
        assert_eq!(metrics.sum("enforcer_events", &[]), 0);
    }
}
