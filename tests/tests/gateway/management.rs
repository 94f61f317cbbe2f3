//! What anybody on the network may send to the management server.

use std::{fs, process::Command};

use enforcer_tests::{lan::GATEWAY, site::Site};
use serde_json::Value;

/// The path that reports go to.
const REPORT: &str = "/v1/report";

#[test]
fn nonsense_is_answered_as_a_problem_and_changes_nothing() -> anyhow::Result<()> {
    let site = Site::new()?;
    let gateway = site.start()?;
    let token = format!(
        "Authorization: Bearer {}",
        fs::read_to_string(site.agent_token()?)?.trim()
    );
    let large = site.path("large");
    fs::write(&large, " ".repeat(2 << 20))?;
    let large = format!("@{}", large.display());
    let wrong = "Authorization: Bearer enf_wrong";
    let cases: [(&str, &str, &[&str]); 7] = [
        ("405", REPORT, &["-X", "DELETE", "-H", &token]),
        ("404", "/v1/nothing", &["-H", &token]),
        ("401", REPORT, &["--data", "{}"]),
        ("401", REPORT, &["--data", "{}", "-H", wrong]),
        ("413", REPORT, &["--data-binary", &large, "-H", &token]),
        ("400", REPORT, &["--data", "{ no JSON", "-H", &token]),
        (
            "422",
            REPORT,
            &["--data", r#"{"version": 1}"#, "-H", &token],
        ),
    ];
    for (status, path, arguments) in cases {
        let answer = curl(&site, path, arguments)?;
        let (body, head) = answer.rsplit_once('\n').expect("a line about the answer");
        assert_eq!(
            head,
            format!("{status} application/problem+json"),
            "{answer}"
        );
        let problem: Value = serde_json::from_str(body)?;
        assert_eq!(problem["status"].to_string(), status, "{problem}");
        assert!(problem["title"].is_string(), "{problem}");
    }
    let hosts = site.control(&["hosts"])?;
    assert_eq!(hosts["total"], 0, "{hosts}");
    assert!(gateway.is_ready());
    Ok(())
}

/// Asks from a host; the body, and in a last line the status and the type.
fn curl(site: &Site, path: &str, arguments: &[&str]) -> anyhow::Result<String> {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--insecure", "--max-time", "10"])
        .args(["--write-out", "\n%{http_code} %{content_type}"])
        .args(["--header", "Content-Type: application/json"])
        .args(arguments)
        .arg(format!("https://{GATEWAY}:8443{path}"));
    let done = site.lan.laptop.namespace.enter(|| curl.output())?;
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}
