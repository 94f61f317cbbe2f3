//! What must not be in a log, however much is logged.

use std::fs;

use enforcer_tests::{gateway::Gateway, posture::Posture, site::Site};

#[test]
fn no_token_and_no_key_is_in_a_log() -> anyhow::Result<()> {
    let site = Site::new()?;
    let gateway = Gateway::start_logging(&site, "trace")?;
    site.report(&site.lan.laptop, &Posture::good("laptop"))?;
    site.control(&["reload"])?;
    drop(gateway);

    let log = fs::read_to_string(site.path("gateway.log"))?;
    assert!(log.contains("\"TRACE\""), "much is logged");
    let key = fs::read_to_string(site.path("state/server/server.key"))?;
    let secrets = [
        fs::read_to_string(site.path("state/gateway.token"))?,
        fs::read_to_string(site.agent_token()?)?,
        // A line from the middle of the key.
        key.lines().nth(1).unwrap_or_default().to_owned(),
    ];
    for secret in secrets {
        let secret = secret.trim();
        assert!(secret.len() > 16, "a secret");
        assert!(!log.contains(secret), "a secret is in the log");
    }
    Ok(())
}
