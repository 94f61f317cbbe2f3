//! Running services, as systemd names them.

use super::command;

/// Names of the running services; `None` where systemd does not run.
pub async fn running() -> Option<Vec<String>> {
    let arguments = [
        "list-units",
        "--type=service",
        "--state=running",
        "--plain",
        "--no-legend",
        "--no-pager",
    ];
    command::output("systemctl", &arguments)
        .await
        .map(|text| parse(&text))
}

/// `NAME.service loaded active running DESCRIPTION`.
fn parse(text: &str) -> Vec<String> {
    let name = |line: &str| {
        Some(
            line.split_whitespace()
                .next()?
                .strip_suffix(".service")?
                .to_owned(),
        )
    };
    text.lines().filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units() {
        let text = "\
cron.service              loaded active running Regular background program processing daemon
getty@tty1.service        loaded active running Getty on tty1
systemd-journald.service  loaded active running Journal Service

";
        assert_eq!(parse(text), ["cron", "getty@tty1", "systemd-journald"]);
    }
}
